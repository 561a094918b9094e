"""Weights of classes: where they come from, who reads them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.data.items import ImageSet, Item
from dapt.data.labelled import LabelledImages
from dapt.errors import ConfigError, NotSupportedError
from dapt.runs.class_weights import check_class_weights, read_weights, weights_file, with_class_weights
from dapt.runs.run_data import RunData
from dapt.runs.run_settings import result_settings
from helpers import make_folder

NAMES = ("cat", "tabby cat", "owl")


def config(**settings: object):
    return make_config({"data": "photos", "model": "demo", **settings})


def data(*counts: int, weights: tuple[float, ...] | None = None, multi_label: bool = False) -> RunData:
    """So many training images of each class."""
    items = tuple(Item(Path(f"{n}.jpg"), label, f"{label}/{n}.jpg") for label in range(3) for n in range(counts[label]))
    train = LabelledImages(items, tuple(item.label for item in items), NAMES)
    none = LabelledImages((), (), NAMES)
    source = ImageSet("photos", Path("photos"), NAMES, {"train": items}, multi_label=multi_label)
    return RunData(source, train, none, none, None, {}, weights=weights)


def test_by_the_inverse_of_their_number(capsys: pytest.CaptureFixture[str]) -> None:
    found = with_class_weights(config(class_weights="auto"), data(1, 2, 4))
    assert found.class_weights is not None
    assert [found.class_weights[name] * count for name, count in zip(NAMES, (1, 2, 4), strict=True)] == pytest.approx(
        [7 / 3] * 3
    )
    assert found.image_weights is not None
    assert sum(found.image_weights) / 7 == pytest.approx(1)
    assert "class weights: from 0.58 (owl) to 2.33 (cat)" in capsys.readouterr().err


def test_balanced_classes_are_not_weighed(capsys: pytest.CaptureFixture[str]) -> None:
    found = with_class_weights(config(class_weights="auto"), data(2, 2, 2))
    assert found.class_weights is None
    assert found.image_weights is None
    assert "every class has 2 training images" in capsys.readouterr().err
    assert with_class_weights(config(), data(1, 2, 4)).image_weights is None


def test_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file, text in (
        (tmp_path / "w.yaml", "cat: 3\ntabby_cat: 1.5\n"),
        (tmp_path / "w.json", '{"cat": 3, "tabby cat": 1.5}'),
    ):
        file.write_text(text)
        settings = config(class_weights=str(file))
        assert weights_file(settings) == file
        found = with_class_weights(settings, data(2, 2, 2)).class_weights
        assert found == pytest.approx({"cat": 18 / 11, "tabby cat": 9 / 11, "owl": 6 / 11})
        assert "does not name 1 of 3 classes (owl), which count 1" in capsys.readouterr().err


def test_weights_of_a_selection_stay() -> None:
    found = with_class_weights(config(class_weights="auto"), data(1, 1, 2, weights=(2.0, 1.0, 0.5, 0.5)))
    assert found.image_weights == pytest.approx([2 / 0.875, 1 / 0.875, 0.25 / 0.875, 0.25 / 0.875])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cat: 1\nowls: 2", "weighs 'owls', which is no class of the data.*owl"),
        ("cat: 0", "the weight of 'cat' is 0, not a positive number"),
        ("cat: yes", "not a positive number"),
        ("cat: .inf", "not a positive number"),
        ("[1, 2]", "must hold one weight for each class name"),
        ("tabby_cat: 1\ntabby cat: 2", "weighs 'tabby cat' twice"),
        ("cat: [", "is not valid YAML"),
    ],
)
def test_files_that_are_refused(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(text)
    with pytest.raises(ConfigError, match=f"(?s){told}"):
        read_weights(tmp_path / "w.yaml", NAMES)


def test_no_file_and_no_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_weights(tmp_path / "w.yaml", NAMES)
    (tmp_path / "w.json").write_text("{'cat': 1}")
    with pytest.raises(ConfigError, match="not valid JSON"):
        read_weights(tmp_path / "w.json", NAMES)
    (tmp_path / "w.yaml").write_text("")
    assert read_weights(tmp_path / "w.yaml", NAMES) == {}
    assert "names no class" in capsys.readouterr().err


def test_methods_that_would_not_read_them() -> None:
    for method, told in (("zero_shot", "has no training steps"), ("promptkd", "learns without labels")):
        with pytest.raises(NotSupportedError, match=told):
            check_class_weights(config(method=method, class_weights="auto"))
        check_class_weights(config(method=method))
    check_class_weights(config(method="coop", class_weights="auto"))
    with pytest.raises(NotSupportedError, match="several classes"):
        with_class_weights(config(class_weights="auto"), data(1, 2, 3, multi_label=True))


def test_without_them_a_run_is_what_it_was() -> None:
    assert "class_weights" not in result_settings(config())
    assert result_settings(config(class_weights="auto"))["class_weights"] == "auto"


def test_on_the_command_line(dapt, tmp_path: Path, tiny_spec: str) -> None:
    root = make_folder(tmp_path / "photos", per_class=8, classes=3)
    for path in sorted((root / "red_square").glob("*.png"))[4:]:
        path.unlink()
    given = [root, "--model", tiny_spec, "--method", "coop", "--shots", 0, "--epochs", 1, "--device", "cpu"]
    code, _, err = dapt("train", *given, "--class-weights", "auto", "--out", tmp_path / "auto")
    assert code == 0, err
    results = json.loads((tmp_path / "auto" / "results.json").read_text())
    assert results["class_weights"]["red square"] == pytest.approx(2 * results["class_weights"]["blue disc"])
    assert "class_weights: auto" in (tmp_path / "auto" / "run.yaml").read_text()
    code, _, err = dapt("train", *given, "--class-weights", "auto", "--out", tmp_path / "auto", "--resume")
    assert code == 0, err
    (tmp_path / "w.yaml").write_text("red square: 3\nblue disk: 1\n")
    code, _, err = dapt("train", *given, "--class-weights", tmp_path / "w.yaml", "--out", tmp_path / "file")
    assert code == 2
    assert "'blue disk', which is no class of the data" in err
    assert "blue disc" in err
    assert not (tmp_path / "file").exists()
