"""Saved and shared classifiers: they come back as they were, with a card whose code runs."""

from __future__ import annotations

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dapt
from dapt.api.estimator_base import EstimatorError
from dapt.api.saved_classifier import FILES
from dapt.errors import ConfigError, ModelError
from helpers import make_folder
from hub_stand_in import StandIn


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    root = make_folder(tmp_path_factory.mktemp("photos") / "photos", per_class=6, classes=3)
    paths = sorted(map(str, root.rglob("*.png")))
    return paths, [Path(path).parent.name for path in paths]


@pytest.fixture(scope="module")
def fitted(tiny_spec: str, pictures: tuple[list[str], list[str]]) -> Any:
    paths, labels = pictures
    numbers = [3 + 4 * sorted(set(labels)).index(label) for label in labels]
    names = ["blue disc", "green bar", "red square"]
    estimator = dapt.DaptClassifier(
        method="gda", model=tiny_spec, device="cpu", class_names=names, settings={"flip": 0}
    )
    return estimator.fit(paths[::2], numbers[::2])


def run_code(card: str, place: Path, photo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the code of a card as a reader would, beside a photograph."""
    shutil.copy(photo, place / "photo.jpg")
    monkeypatch.chdir(place)
    code = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(code) == 1
    assert len([line for line in code[0].splitlines() if line]) <= 5
    exec(code[0], {})


def test_it_comes_back_as_it_was(
    fitted: Any, pictures: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    paths, labels = pictures
    numbers = [3 + 4 * sorted(set(labels)).index(label) for label in labels]
    folder = fitted.save_pretrained(tmp_path / "model", test=(paths[1::2], numbers[1::2]))
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == sorted(FILES)
    again = dapt.DaptClassifier.from_pretrained(folder, device="cpu")
    assert np.array_equal(again.predict_proba(paths), fitted.predict_proba(paths))
    assert again.classes_.tolist() == [3, 7, 11]
    assert again.predict(paths).dtype == fitted.predict(paths).dtype
    assert (again.method, again.settings, again.class_names_) == ("gda", {"flip": 0}, fitted.class_names_)
    card = (folder / "README.md").read_text()
    floats = [float(number) for number in numbers]  # the same labels
    assert fitted.save_pretrained(tmp_path / "floats", test=(paths[1::2], floats[1::2])).is_dir()
    right = round(fitted.score(paths[1::2], numbers[1::2]) * 9)
    assert f"| {100 * right / 9:.1f}% [" in card
    assert "| red square | 3 | 3 |" in card
    run_code(card, tmp_path, paths[0], monkeypatch)
    assert "[3]" in capsys.readouterr().out
    assert dapt.load_model(folder, device="cpu").names == fitted.class_names_
    again.save_pretrained(folder)  # in its place
    assert "It was not tested" in (folder / "README.md").read_text()


def test_the_card_is_of_what_was_trained(fitted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of parameters set since, nor of the place it lies at."""
    (tmp_path / "birds").mkdir()
    monkeypatch.chdir(tmp_path / "birds")
    changed = copy.deepcopy(fitted).set_params(method="maple")
    for place in (".", f"{tmp_path}/birds/"):
        card = (changed.save_pretrained(place) / "README.md").read_text()
        assert "# birds\n" in card
        assert "GDA with the CLIP" in card
        assert "from_pretrained('birds')" in card
        assert str(tmp_path) not in card
    assert dapt.DaptClassifier.from_pretrained(".").method == "gda"


def test_a_model_saved_over_a_classifier_leaves_no_card(fitted: Any, tmp_path: Path) -> None:
    folder = fitted.save_pretrained(tmp_path / "model")
    fitted.predictor.model.save_pretrained(folder)
    assert not (folder / "README.md").exists()
    with pytest.raises(ModelError, match="holds no classifier"):
        dapt.DaptClassifier.from_pretrained(folder)


def test_a_finished_run_is_a_classifier(tiny_spec: str, tmp_path: Path, photos: Path) -> None:
    settings = {"method": "maple", "depth": 2, "shots": 2, "epochs": 1, "device": "cpu", "out": str(tmp_path / "run")}
    run = dapt.train(photos, model=tiny_spec, dapt=True, warmup_epochs=0, baselines=True, **settings)
    found = dapt.DaptClassifier.from_pretrained(tmp_path / "run", device="cpu")
    paths = sorted(map(str, photos.rglob("*.png")))
    assert found.predict(paths).tolist() == [each.classes[0] for each in run.predict(paths, top=1)]
    card = (found.save_pretrained(tmp_path / "saved") / "README.md").read_text()
    assert f"| {run.metrics['test/accuracy']:.1f}% [" in card
    assert f"] | {run.results.baselines['zero_shot']['test/accuracy']:.1f}% [" in card
    assert "the cue `border`" in card
    again = dapt.DaptClassifier.from_pretrained(tmp_path / "saved", device="cpu")
    assert np.array_equal(again.predict_proba(paths[:3]), found.predict_proba(paths[:3]))


def test_uploaded_and_fetched(fitted: Any, pictures: Any, hub: StandIn, tmp_path: Path, monkeypatch, capsys) -> None:
    paths, _ = pictures
    assert fitted.push_to_hub("me/shapes") == f"{hub.address}/me/shapes"
    assert "Uploading 4 files" in capsys.readouterr().err
    assert set(FILES) <= set(hub.repositories["me/shapes"])
    monkeypatch.chdir(tmp_path)
    again = dapt.DaptClassifier.from_pretrained("me/shapes", device="cpu")
    assert np.array_equal(again.predict_proba(paths), fitted.predict_proba(paths))
    run_code(hub.repositories["me/shapes"]["README.md"].decode(), tmp_path, paths[0], monkeypatch)
    with pytest.raises(ModelError, match="There is no me/absent on the hub"):
        dapt.DaptClassifier.from_pretrained("me/absent")


def test_what_is_no_classifier(fitted: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no folder absent"):
        dapt.DaptClassifier.from_pretrained("absent")
    folder = fitted.save_pretrained(tmp_path / "model")
    tree = json.loads((folder / "classifier.json").read_text())
    for change in (
        {"labels": [1, 2]},
        {"schema": 9},
        {"labels": ["a", 1, 2]},
        {"kind": None},
        {"results": {}},
        {"parameters": {"method": 5}},
    ):
        (folder / "classifier.json").write_text(json.dumps({**tree, **change}))
        with pytest.raises(ModelError, match="damaged, or was written by a newer"):
            dapt.DaptClassifier.from_pretrained(folder)
    (folder / "classifier.json").write_text(json.dumps({**tree, "class_names": ["a", "b", "c"]}))
    with pytest.raises(ModelError, match="names other classes than prompts"):
        dapt.DaptClassifier.from_pretrained(folder)
    (folder / "classifier.json").write_text(json.dumps(tree))
    (folder / "prompts.safetensors").unlink()
    with pytest.raises(ModelError, match="lacks prompts"):
        dapt.DaptClassifier.from_pretrained(folder)


def test_figures_that_cannot_be(fitted: Any, pictures: Any, tmp_path: Path) -> None:
    paths, _ = pictures
    for test, message in (
        ((paths[:1], [99]), "not trained on: 99"),
        (paths, "test is 'list'"),
        (([], []), "no picture"),
    ):
        with pytest.raises(EstimatorError, match=message):
            fitted.save_pretrained(tmp_path / "model", test=test)
    with pytest.raises(ConfigError, match="tells of 2 models"):
        fitted.save_pretrained(tmp_path / "model", audit={"models": [{}, {}]})
    with pytest.raises(ConfigError, match="audit holds no figures"):
        fitted.save_pretrained(tmp_path / "model", audit={"models": [{}]})
    with pytest.raises(ConfigError, match="None cannot be a name"):
        fitted.push_to_hub(None)
    audit = {"models": [{"bg_gap": {"value": 7.0}, "accuracy": {"only_bg_t": {"value": 40.0}}}]}
    card = fitted.save_pretrained(tmp_path / "model", audit=audit) / "README.md"
    assert "exchanging them costs 7.0 points" in card.read_text()
