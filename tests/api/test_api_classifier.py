"""The estimator: trained as `dapt train` does it, and at home in what scikit-learn offers around estimators."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import dapt
from dapt.api.estimator_base import EstimatorError
from dapt.errors import ConfigError, DataError
from helpers import make_folder

LABELS = ["blue_disc", "green_bar", "red_square"]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = make_folder(tmp_path_factory.mktemp("photos") / "photos", per_class=4, classes=3)
    return sorted(str(path) for path in root.rglob("*.png"))


@pytest.fixture(scope="module")
def labels(paths: list[str]) -> list[str]:
    return [Path(path).parent.name for path in paths]


@pytest.fixture
def quick(tiny_spec: str) -> Any:
    """An estimator that learns in closed form."""
    return dapt.DaptClassifier(method="gda", model=tiny_spec, device="cpu")


@pytest.fixture(scope="module")
def fitted(tiny_spec: str, paths: list[str], labels: list[str]) -> Any:
    return dapt.DaptClassifier(method="gda", model=tiny_spec, device="cpu").fit(paths, labels)


def arrays(paths: list[str]) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def test_importing_dapt_does_not_import_scikit_learn() -> None:
    program = "import sys, dapt; assert 'sklearn' not in sys.modules and 'DaptClassifier' in dir(dapt)"
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ)


def test_it_trains_as_dapt_train_does(tiny_spec: str, paths: list[str], labels: list[str], tmp_path: Path) -> None:
    """The same prompts bit for bit, from the same configuration."""
    index = tmp_path / "photos.csv"
    root = Path(paths[0]).parents[1]
    lines = [f"{Path(path).relative_to(root)},{label},train" for path, label in zip(paths, labels, strict=True)]
    index = root.parent / "index.csv"
    index.write_text("image,classname,split\n" + "".join(f"{root.name}/{line}\n" for line in lines))
    settings = {"method": "maple", "model": tiny_spec, "dapt": True, "depth": 2, "epochs": 2, "device": "cpu"}
    run = dapt.train(index, **settings, cue="border", shots=0, out=str(tmp_path / "run"))
    found = dapt.DaptClassifier(**settings, cue="border", out=tmp_path / "own").fit(paths, labels)
    one, other = run.model.prompts.state_dict(), dapt.load(tmp_path / "own").model.prompts.state_dict()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert [each.classes[0] for each in run.predict(paths, top=1)] == [
        name.replace("_", " ") for name in found.predict(paths)
    ]
    assert (found.results_["dapt"], found.results_["counts"]["train"]) == (True, 12)


def test_what_is_known_after_training(fitted: Any, paths: list[str], labels: list[str]) -> None:
    assert fitted.classes_.tolist() == LABELS
    assert fitted.class_names_ == ["blue disc", "green bar", "red square"]
    assert not hasattr(fitted, "n_features_in_")
    found = fitted.predict_proba(paths)
    assert found.shape == (12, 3)
    assert np.allclose(found.sum(axis=1), 1)
    assert fitted.predict(paths).tolist() == fitted.classes_[found.argmax(axis=1)].tolist()
    assert fitted.score(paths, labels) == np.mean(fitted.predict(paths) == np.asarray(labels))


def test_paths_arrays_and_pictures_are_the_same(quick: Any, fitted: Any, paths: list[str], labels: list[str]) -> None:
    expected = fitted.predict_proba(paths)
    for given in (arrays(paths), [Image.open(path) for path in paths], np.array(paths)):
        assert np.array_equal(clone(quick).fit(given, labels).predict_proba(given), expected)


def test_whole_numbers_with_names(quick: Any, fitted: Any, paths: list[str], labels: list[str]) -> None:
    numbers = [10 * LABELS.index(label) for label in labels]
    found = quick.set_params(class_names={0: "blue disc", 10: "green bar", 20: "red square"}).fit(paths, numbers)
    assert found.classes_.tolist() == [0, 10, 20]
    assert np.array_equal(found.predict_proba(paths), fitted.predict_proba(paths))
    assert found.predict(paths).dtype == found.classes_.dtype


def test_labels_are_known_by_their_value(quick: Any, paths: list[str], labels: list[str]) -> None:
    numbers = np.array([LABELS.index(label) for label in labels])
    found = quick.set_params(class_names=LABELS).fit(paths, numbers)
    assert found.score(paths, numbers.astype(float)) == found.score(paths, numbers.astype(object))
    with pytest.raises(EstimatorError, match=r"not trained on: '0', '1', '2'.\n.*The classes are 0, 1, 2"):
        found.score(paths, numbers.astype(str))


def test_parameters_are_only_stored(tiny_spec: str) -> None:
    given = {"method": "no such", "model": tiny_spec, "dapt": {"margin": 1.5}, "settings": {"flip": 0.0}}
    estimator = dapt.DaptClassifier(**given)
    assert {key: estimator.get_params()[key] for key in given} == given
    assert estimator.get_params()["settings"] is given["settings"]
    copied = clone(estimator).set_params(epochs=3, settings__flip=0.5, settings__matte="black")
    assert (copied.epochs, copied.settings) == (3, {"flip": 0.5, "matte": "black"})
    assert estimator.settings == {"flip": 0.0}
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        estimator.set_params(epoch=3)


def test_settings_reach_the_run(tiny_spec: str, paths: list[str], labels: list[str], tmp_path: Path) -> None:
    estimator = dapt.DaptClassifier(
        method="maple", model=tiny_spec, dapt=True, depth=2, epochs=np.int64(1), device="cpu", out=tmp_path / "run"
    ).set_params(settings={"dapt.margin": 0.25, "flip": 0, "warmup_epochs": 0})
    for _ in range(2):  # its own run is replaced
        estimator.fit(paths, labels)
    config = (tmp_path / "run" / "run.yaml").read_text()
    assert "margin: 0.25" in config
    assert "flip: 0.0" in config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flp": 0}, "flip"),
        ({"method": "coop"}, "that is the parameter method"),
        ({"data": "photos"}, "X and y say that"),
        ({"classes": ["cat"]}, "X and y say that"),
        ({"keep_split": "x.json"}, "X and y say that"),
        (["flip"], "settings is .*'flip'.*, and a mapping"),
        ({5: 6}, "settings is .*5: 6.*, and a mapping"),
    ],
)
def test_settings_that_cannot_be(quick: Any, paths: list[str], labels: list[str], settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        quick.set_params(settings=settings).fit(paths, labels)


def test_nothing_is_said_unless_asked(quick: Any, paths: list[str], labels: list[str], capfd, recwarn) -> None:
    quick.fit(paths, labels).predict(paths[:1])
    assert capfd.readouterr() == ("", "")
    assert [str(each.message) for each in recwarn] == []
    quick.set_params(verbose=True).fit(paths, labels)
    assert "results in" in capfd.readouterr().err


def test_it_is_pickled_without_its_backbone(fitted: Any, paths: list[str], tmp_path: Path) -> None:
    expected = fitted.predict_proba(paths)
    joblib.dump(fitted, tmp_path / "classifier.joblib")
    again = joblib.load(tmp_path / "classifier.joblib")
    assert np.array_equal(again.predict_proba(paths), expected)
    buffer = io.BytesIO()
    joblib.dump(fitted, buffer)
    assert buffer.tell() < 100_000


def test_cross_validation_searches_and_pipelines(quick: Any, paths: list[str], labels: list[str]) -> None:
    scores = cross_val_score(quick, arrays(paths), labels, cv=2, error_score="raise")
    assert scores.shape == (2,)
    opened = FunctionTransformer(lambda names: [Image.open(name) for name in names])
    pipeline = make_pipeline(opened, quick)
    grid = {"daptclassifier__method": ["gda", "zero_shot"], "daptclassifier__settings__flip": [0.5]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(np.array(paths), labels)
    assert search.best_params_["daptclassifier__method"] in ("gda", "zero_shot")
    assert set(search.predict(paths)) <= set(LABELS)


def test_before_training(quick: Any, paths: list[str], labels: list[str]) -> None:
    for call in (lambda: quick.predict(paths), lambda: quick.predict_proba(paths), lambda: quick.score(paths, labels)):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call()


def test_bad_input(quick: Any, fitted: Any, paths: list[str], labels: list[str], tmp_path: Path) -> None:
    with pytest.raises(EstimatorError, match=r"one class \(cat\)"):
        quick.fit(paths[:2], ["cat", "cat"])
    with pytest.raises(EstimatorError, match="12 pictures and y 2 labels"):
        quick.fit(paths, labels[:2])
    with pytest.raises(EstimatorError, match="X holds no picture"):
        fitted.predict([])
    with pytest.raises(EstimatorError, match=r"not trained on: 'cat'\.\n.*blue_disc"):
        fitted.score(paths[:2], ["cat", "red_square"])
    with pytest.raises(DataError, match=r"nowhere\.png"):
        quick.fit([*paths[:2], "/nowhere.png"], ["a", "b", "b"])
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(DataError, match=r"damaged\.png"):
        quick.fit([*paths[:2], tmp_path / "damaged.png"], ["a", "b", "b"])
    with pytest.raises(TypeError, match="sample_weight"):
        quick.fit(paths, labels, sample_weight=[1] * 12)


def test_one_picture_of_a_class_is_learned_from(tiny_spec: str, paths: list[str], labels: list[str]) -> None:
    estimator = dapt.DaptClassifier(method="tip_adapter", model=tiny_spec, device="cpu")
    assert estimator.fit(paths[3:], labels[3:]).results_["counts"]["train"] == 9


def test_nothing_is_kept_of_pictures_given_by_a_program(
    tiny_spec: str, paths: list[str], labels: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAPT_MASKS", str(tmp_path / "kept"))
    settings = {"method": "maple", "model": tiny_spec, "dapt": True, "depth": 2, "epochs": 1, "device": "cpu"}
    dapt.DaptClassifier(**settings, settings={"warmup_epochs": 0}).fit(arrays(paths), labels)
    assert not (tmp_path / "kept").exists()
