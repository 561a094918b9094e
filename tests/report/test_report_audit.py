"""`dapt audit` as one call: what is written, and which places are refused before anything is computed."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor

from dapt.errors import ConfigError, DaptError
from dapt.evaluation.audit.kept_answers import KeptAnswers
from dapt.evaluation.audit.scenes import Scenes
from dapt.report.audit import FILES, PART, audit_and_write
from dapt.runs.audit_images import Question
from dapt.runs.audit_run import AUDIT_KEYS
from helpers import make_csv, make_folder


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Question:
    return Question(str(make_csv(tmp_path_factory.mktemp("data") / "table")))


def test_all_that_is_written(question: Question, tiny_spec: str, tmp_path: Path) -> None:
    found = audit_and_write(
        [tiny_spec],
        question,
        out=tmp_path / "o",
        write=tmp_path / "w",
        json_file=tmp_path / "f.json",
        device="cpu",
    )
    assert sorted(path.name for path in (tmp_path / "o").iterdir() if path.name[0] != ".") == sorted(FILES)
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures == json.loads((tmp_path / "o" / "audit.json").read_text()) == found.record
    with (tmp_path / "o" / "images.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 8
    assert len(list((tmp_path / "w").rglob("index.csv"))) == 9
    with pytest.raises(ConfigError, match="Pass --overwrite"):
        audit_and_write([tiny_spec], question, out=tmp_path / "o", device="cpu")
    audit_and_write([tiny_spec], question, out=tmp_path / "o", json_file=tmp_path / "f.json", overwrite=True)


def test_places_are_refused_before_models_are_opened(question: Question, tmp_path: Path) -> None:
    data = Path(question.data).parent
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("x")
    (tmp_path / "mine.json").write_text("{}")
    absent = "/nowhere/model"
    for places, message in (
        ({"out": tmp_path / "notes"}, "did not write"),
        ({"write": data / "images"}, "did not write"),
        ({"out": tmp_path / "x", "write": tmp_path / "x"}, "same folder"),
        ({"out": tmp_path / "x", "write": tmp_path / "x" / "w"}, "lies within the other"),
        ({"out": tmp_path / "x", "json_file": tmp_path / "x" / "f.json"}, "which the audit fills"),
        ({"json_file": tmp_path / "mine.json"}, "did not write it"),
        ({"json_file": data / "index.csv"}, "is the data"),
    ):
        with pytest.raises(ConfigError, match=message):
            audit_and_write([absent], question, **places)  # type: ignore[arg-type]
    assert (tmp_path / "mine.json").read_text() == "{}"


@pytest.mark.long
def test_nothing_goes_into_a_model_or_the_data(tmp_path: Path, tiny_spec: str) -> None:
    model = Path(tiny_spec.removeprefix("local-dir:"))
    photos = make_folder(tmp_path / "photos", per_class=2)
    question = Question(str(photos), masks=str(tmp_path / "photos-masks"))
    for place, label in ((model / "o", "weights of the backbone"), (photos / "o", "the data"), (tmp_path, "the data")):
        with pytest.raises(DaptError, match=label if place != tmp_path else "did not write"):
            audit_and_write([tiny_spec], question, out=place, device="cpu")
    with pytest.raises(DaptError, match="the masks"):
        audit_and_write([tiny_spec], question, json_file=tmp_path / "photos-masks" / "f.json", device="cpu")


@pytest.mark.parametrize("option", ["json_file", "write", "out"])
def test_places_that_cannot_be_written_are_refused_before_models_are_opened(
    question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    monkeypatch.setattr("dapt.outputs.os.access", lambda path, mode: Path(path) != locked)  # root may write anywhere
    with pytest.raises(ConfigError, match=f"Nothing can be written into {locked}"):
        audit_and_write(["/nowhere/model"], question, **{option: locked / "deep" / "x"})  # type: ignore[arg-type]


def test_figures_are_told_before_anything_is_written(
    question: Question, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object, **more: object) -> None:
        raise DaptError("the disk is full")

    monkeypatch.setattr("dapt.report.audit.write_json", refuse)
    for place in ({"json_file": tmp_path / "f.json"}, {"out": tmp_path / "o"}):
        told: list[object] = []
        with pytest.raises(DaptError, match="the disk is full"):
            audit_and_write([tiny_spec], question, device="cpu", tell=told.append, **place)  # type: ignore[arg-type]
        assert len(told) == 1


def test_figures_do_not_replace_those_of_another_audit(question: Question, tiny_spec: str, tmp_path: Path) -> None:
    audit_and_write([tiny_spec], question, out=tmp_path / "o", device="cpu")
    before = (tmp_path / "o" / "audit.json").read_bytes()
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="which another audit has filled"):
            audit_and_write([tiny_spec], question, json_file=tmp_path / "o" / "audit.json", overwrite=overwrite)
    assert (tmp_path / "o" / "audit.json").read_bytes() == before


def test_no_model(question: Question, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No model was named"):
        audit_and_write([], question)
    with pytest.raises(ConfigError, match="No model was named"):
        audit_and_write([], question, out=tmp_path / "o", write=tmp_path / "w")
    audit_and_write([], question, write=tmp_path / "w", size=24)
    assert (tmp_path / "w" / "mixed_rand" / "index.csv").is_file()
    assert not (tmp_path / "o").exists()


def test_interrupted_while_composites_are_written_no_model_is_asked_again(
    question: Question, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {"out": tmp_path / "o", "write": tmp_path / "w", "device": "cpu"}

    def stop(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr("dapt.runs.write_composites.write_files", stop)
        with pytest.raises(KeyboardInterrupt):
            audit_and_write([tiny_spec], question, **places)  # type: ignore[arg-type]
    assert (tmp_path / "o" / PART).is_file()
    assert not (tmp_path / "o" / "audit.json").exists()
    with monkeypatch.context() as silent:
        silent.setattr("dapt.evaluation.audit.answers._batches", lambda scenes, variants, starts, *_: iter(starts))
        again = audit_and_write([tiny_spec], question, resume=True, **places).record  # type: ignore[arg-type]
    assert again["models"][0]["accuracy"]["original"]["images"] == 8
    assert sorted(path.name for path in (tmp_path / "o").iterdir() if path.name[0] != ".") == sorted(FILES)
    assert len(list((tmp_path / "w").rglob("index.csv"))) == 9


def test_earlier_figures_are_known_by_their_keys() -> None:
    assert {"schema", "audit", "models"} <= AUDIT_KEYS


def test_an_interrupted_audit_goes_on(
    question: Question, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = audit_and_write([tiny_spec], question, device="cpu").record
    asked: list[int] = []
    variants = Scenes.variants

    def stop(scenes: Scenes, place: int, names: list[str]) -> dict[str, Tensor]:
        if len(asked) == 6:
            raise KeyboardInterrupt
        asked.append(place)
        return variants(scenes, place, names)

    monkeypatch.setattr("dapt.runs.audit_run.BATCH", 9)  # one image at a time
    monkeypatch.setattr(KeptAnswers.__init__, "__defaults__", (0.0,))
    with monkeypatch.context() as killed:
        killed.setattr(Scenes, "variants", stop)
        with pytest.raises(KeyboardInterrupt):
            audit_and_write([tiny_spec], question, out=tmp_path / "o", device="cpu")
    assert [path.name for path in (tmp_path / "o").iterdir() if path.name[0] != "."] == [PART]
    with pytest.raises(ConfigError, match=r"unfinished part of an audit[\s\S]*--resume"):
        audit_and_write([tiny_spec], question, out=tmp_path / "o", device="cpu")
    with pytest.raises(ConfigError, match="exclude each other"):
        audit_and_write([tiny_spec], question, out=tmp_path / "o", resume=True, overwrite=True)
    with pytest.raises(ConfigError, match="other models, images or options"):
        audit_and_write([tiny_spec], replace(question, seed=2), out=tmp_path / "o", resume=True, device="cpu")
    asked.clear()
    with monkeypatch.context() as counted:
        counted.setattr(Scenes, "variants", stop)
        again = audit_and_write([tiny_spec], question, out=tmp_path / "o", resume=True, device="cpu").record
    assert 0 < len(asked) < 6, "the others were answered before"
    assert again["models"] == whole["models"]
    assert sorted(path.name for path in (tmp_path / "o").iterdir() if path.name[0] != ".") == sorted(FILES)
    with pytest.raises(ConfigError, match="holds an audit"):
        audit_and_write([tiny_spec], question, out=tmp_path / "o", resume=True, device="cpu")
