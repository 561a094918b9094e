"""Paths of a configuration become absolute; what is no path stays as it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.runs.absolute_paths import with_absolute_paths


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_everything_that_is_read_from_a_place_becomes_absolute(here: Path) -> None:
    given = {"data": "./photos", "masks": "m", "names": "n.txt", "root": "r", "split_file": "s.json"}
    found = with_absolute_paths(make_config({**given, "model": "local-dir:clip", "plugins": []}))
    assert found.data == str(here / "photos")
    assert [found.masks, found.names, found.root, found.split_file] == [
        str(here / name) for name in ("m", "n.txt", "r", "s.json")
    ]
    assert found.model == f"local-dir:{here / 'clip'}"


def test_an_existing_folder_is_a_path_without_a_slash_too(here: Path) -> None:
    (here / "photos").mkdir()
    assert with_absolute_paths(make_config({"data": "photos"})).data == str(here / "photos")


@pytest.mark.parametrize("model", ["demo", "ViT-B-16/openai", "hf-hub:somebody/clip"])
def test_names_of_models_stay(model: str) -> None:
    assert with_absolute_paths(make_config({"data": "eurosat", "model": model})).model == model


def test_names_of_data_stay_and_so_does_what_is_not_given() -> None:
    found = with_absolute_paths(make_config({"data": "eurosat", "out": "runs/x"}))
    assert found.data == "eurosat"
    assert found.out == "runs/x", "where a run goes is no input"
    assert (found.masks, found.names, found.root, found.split_file) == (None, None, None, None)


def test_a_folder_of_the_hub_becomes_absolute_and_a_repository_stays(here: Path) -> None:
    (here / "saved").mkdir()
    assert with_absolute_paths(make_config({"data": "hf:saved?split=train"})).data == f"hf:{here}/saved?split=train"
    assert with_absolute_paths(make_config({"data": "hf:owner/name"})).data == "hf:owner/name"


def test_home_is_spelled_out(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here / "me"))
    found = with_absolute_paths(make_config({"data": "~/photos", "masks": "~/m", "model": "local-dir:~/clip"}))
    assert found.data == str(here / "me" / "photos")
    assert found.masks == str(here / "me" / "m")
    assert found.model == f"local-dir:{here / 'me' / 'clip'}"


def test_options_that_name_models(here: Path) -> None:
    prompt = {"teacher": "runs/teacher", "teacher_model": "local-dir:big"}
    found = with_absolute_paths(make_config({"data": "eurosat", "method": "promptkd", "prompt": prompt}))
    assert found.prompt["teacher"] == str(here / "runs" / "teacher")
    assert found.prompt["teacher_model"] == f"local-dir:{here / 'big'}"
    config = make_config({"data": "eurosat", "method": "promptkd", "prompt": {**prompt, "teacher_model": None}})
    assert with_absolute_paths(config).prompt["teacher_model"] is None
    assert config.prompt["teacher"] == "runs/teacher", "the configuration that was given is not changed"
