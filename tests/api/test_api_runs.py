"""Runs from Python: the folder, its figures, predictions, evaluations and copies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dapt
from dapt.api.runs import Run, load, run_protocol, train
from dapt.errors import ConfigError
from helpers import make_csv


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_spec: str) -> Run:
    place = tmp_path_factory.mktemp("api")
    given = {"model": tiny_spec, "method": "maple", "prompt": {"depth": 2}, "epochs": 1, "shots": 2, "device": "cpu"}
    return train(make_csv(place / "table"), out=place / "run", **given)


def test_it_is_where_it_was_asked_to_be_with_its_figures(run: Run) -> None:
    assert run.folder.name == "run"
    written = json.loads((run.folder / "results.json").read_text())
    assert run.metrics == written["metrics"]
    assert run.results["metrics"] == written["metrics"]
    changed = run.metrics
    changed.clear()
    assert run.metrics, "the caller's copy is the caller's"


def test_an_opened_run_is_the_same(run: Run) -> None:
    again = load(str(run.folder), device="cpu")
    assert again.results == run.results
    picture = run.folder.parent / "table" / "images" / "red_square_0.png"
    assert again.predict([picture]) == run.predict([picture])
    assert again.model is again.model, "it is loaded once"
    with pytest.raises(ConfigError, match="There is no run"):
        load(run.folder.parent / "absent")


def test_predictions_of_folders_among_other_classes(run: Run) -> None:
    images = run.folder.parent / "table" / "images"
    found = run.predict([images], top=1)
    assert [prediction.path for prediction in found] == sorted(images.iterdir())
    assert all(len(prediction.classes) == 1 for prediction in found)
    (other,) = run.predict([str(images / "red_square_0.png")], classes=["cat", "dog"])
    assert set(other.classes) == {"cat", "dog"}
    assert run.model.names == ["red square", "blue disc", "green bar", "white ring"], "the model keeps its own"


def test_the_predictor_follows_the_classes_of_the_model(run: Run) -> None:
    own = load(run.folder, device="cpu")
    first = own.predictor
    assert own.predictor is first
    own.model.set_classes(["cat", "dog"])
    assert own.predictor.names == ("cat", "dog")


def test_a_copy_is_a_run_of_its_own(run: Run, tmp_path: Path) -> None:
    copy = run.save(tmp_path / "copy")
    assert (copy.folder, copy.results) == (tmp_path / "copy", run.results)
    found = copy.evaluate(split="val")
    assert found["split"] == "val"
    assert found.counts["images"] == 8
    assert [path.name for path in (copy.folder / "eval").iterdir()] == ["table-val.json"]
    assert not (run.folder / "eval").exists()
    with pytest.raises(ConfigError):
        run.save(tmp_path / "copy")


def test_mistakes_come_before_any_work(run: Run, tmp_path: Path) -> None:
    data = run.folder.parent / "table"
    for call in (
        lambda: train(data, methd="maple"),
        lambda: train(data, method="mapel"),
        lambda: run_protocol("few_shots", data),
        lambda: train(data, out=run.folder),
    ):
        with pytest.raises(ConfigError):
            call()


def test_dapt_offers_them() -> None:
    assert (dapt.train, dapt.load, dapt.run_protocol) == (train, load, run_protocol)
