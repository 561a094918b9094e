"""Evaluating a finished run again: what is looked at, where the figures go, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.data.load.images import image_tensor
from dapt.data.load.reading import use_matte
from dapt.errors import ConfigError, DataError
from dapt.results import RunResults, read_record
from dapt.runs.evaluate_run import evaluate_saved
from dapt.runs.load_run import load_run
from dapt.runs.predict import predict_images
from dapt.runs.run_folder import RunFolder
from dapt.runs.train import run_training
from helpers import make_csv, make_folder


@pytest.fixture(scope="module")
def table(trained: Path) -> Path:
    """The data of the run."""
    return trained.parent / "table" / "index.csv"


def test_the_runs_own_test_images_give_the_runs_own_figures(run: Path) -> None:
    record, path = evaluate_saved(run, device="cpu")
    assert path == run / "eval" / "table-test.json"
    assert record.metrics["test/accuracy"] == read_record(RunResults, run / "results.json").metrics["test/accuracy"]
    assert record.counts == {"images": 8, "classes": 4, "bad_images": 0}
    assert (record.split, record.classes, record.asked) == ("test", "all", {})
    assert json.loads(path.read_text()) == record.tree()


def test_accuracy_is_the_share_of_pictures_that_predictions_get_right(run: Path, table: Path) -> None:
    record, _ = evaluate_saved(run, split="val", device="cpu")
    model, _ = load_run(run, device="cpu")
    paths = sorted(path for path in (table.parent / "images").glob("*.png") if int(path.stem[-1]) % 4 == 2)
    right = [
        prediction.classes[0].replace(" ", "_") == prediction.path.stem[:-2]
        for prediction in predict_images(model, paths, top=1)
    ]
    assert len(right) == 8
    assert record.metrics["val/accuracy"] == pytest.approx(100 * sum(right) / 8)


def test_base_and_novel_halves_and_named_classes(run: Path) -> None:
    names = {"base": ["red square", "blue disc"], "novel": ["green bar", "white ring"]}
    for classes, expected in names.items():
        record, path = evaluate_saved(run, classes=classes, device="cpu")
        assert record.counts == {"images": 4, "classes": 2, "bad_images": 0}
        assert sorted(record.per_class) == sorted(expected)
        assert path.name == f"table-test-{classes}.json"
    record, path = evaluate_saved(run, classes="white_ring, red square", device="cpu")
    assert list(record.per_class) == ["white ring", "red square"]
    assert path.name == "table-test-white_ring__red_square.json"


def test_other_data_is_asked_the_question_of_the_training(run: Path, tmp_path: Path, capsys) -> None:
    other = make_folder(tmp_path / "other", per_class=4, classes=3, first=100)
    (other / "red_square").rename(other / "Red Square ")
    record, path = evaluate_saved(run, data=str(other), json_file=tmp_path / "f.json", device="cpu")
    assert path == tmp_path / "f.json"
    assert (record.split, record.classes) == ("all", "trained")
    assert record.counts == {
        **{"images": 12, "images_there": 12, "classes": 3, "classes_asked": 4, "classes_there": 3},
        "bad_images": 0,
    }
    assert list(record.per_class) == ["red square", "blue disc", "green bar"]
    assert record.absent_classes == ["white ring"]
    assert record.unknown_classes == record.unused == {}
    assert record.asked == {"place": str(other), "classes": "trained", "split": "all"}
    assert record.metrics["test/accuracy"] is not None, "to the model all of them are test images"
    said = capsys.readouterr().err
    assert "other: 12 of its 12 images are looked at, those of all splits, as it has no splits of its own." in said
    assert "'Red Square' is 'red square'" in said
    assert not (run / "eval").exists(), "with a file of its own the run is left alone"


def test_the_figures_are_those_of_predictions_among_the_trained_classes(run: Path, tmp_path: Path) -> None:
    other = make_folder(tmp_path / "other", per_class=4, classes=2, first=100)
    record, path = evaluate_saved(run, data=str(other), device="cpu")
    assert path.name == "other-test.json"
    share, beside = evaluate_saved(run, data=str(other), split="test", device="cpu")
    assert share.counts["images"] < record.counts["images"]
    assert beside.name != path.name, "other figures are kept"
    model, _ = load_run(run, device="cpu")
    paths = sorted(other.rglob("*.png"))
    right = [found.classes[0].replace(" ", "_") == found.path.parent.name for found in predict_images(model, paths)]
    assert record.metrics["test/accuracy"] == pytest.approx(100 * sum(right) / 8)


def test_other_data_among_classes_of_its_own(run: Path, tmp_path: Path, capsys) -> None:
    other = make_folder(tmp_path / "other", per_class=4, classes=3, first=100)
    record, path = evaluate_saved(run, data=str(other), split="train", classes="data", device="cpu")
    assert path.name == "other-train-data.json"
    assert record.counts["classes"] == 3
    assert record.asked == {"place": str(other)}, "as version 0.1.0 noted it"
    assert f"other: the {record.counts['images']} images of its train split" in capsys.readouterr().err
    again, _ = evaluate_saved(run, data=str(other), split="train", classes="all", device="cpu")
    assert again.metrics == record.metrics


def test_splits_of_its_own_and_all_of_them(run: Path, tmp_path: Path) -> None:
    other = make_csv(tmp_path / "other", first=100)  # 16 train, 8 val, 8 test
    record, path = evaluate_saved(run, data=str(other), device="cpu")
    assert (path.name, record.counts["images"], record.counts["images_there"]) == ("other-test.json", 8, 32)
    assert record.unused == {"in other splits": 24}
    record, path = evaluate_saved(run, data=str(other), split="all", device="cpu")
    assert (path.name, record.counts["images"], record.unused) == ("other-all.json", 32, {})
    with pytest.raises(DataError, match=r"8 images of table were trained on[\s\S]*--split test"):
        evaluate_saved(run, split="all", device="cpu")


def test_files_that_were_trained_on_are_no_other_data(run: Path, table: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    for path in (table.parent / "images").glob("*.png"):
        folder = own / path.stem[:-2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).symlink_to(path)
    with pytest.raises(DataError, match="8 images of own were trained on"):
        evaluate_saved(run, data=str(own), device="cpu")


def test_what_was_trained_on_is_no_test(run: Path, table: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(table.parent, tmp_path / "data")) / "index.csv"
    record, _ = evaluate_saved(run, data=str(moved), device="cpu")  # its test images
    assert (record.counts["images"], record.leaks) == (8, None)
    with pytest.raises(DataError, match="as copies, equal byte for byte"):
        evaluate_saved(run, data=str(moved), split="all", device="cpu")
    record, path = evaluate_saved(run, data=str(moved), split="all", allow_leaks=True, device="cpu")
    assert json.loads(path.read_text())["leaks"]["test_images"] == 8
    text = table.read_text()
    try:
        table.write_text(text.replace(",train\n", ",?\n").replace(",test\n", ",train\n").replace(",?\n", ",test\n"))
        with pytest.raises(DataError, match="images of table were trained on"):
            evaluate_saved(run, device="cpu")
        with pytest.raises(DataError, match="were trained on"):
            evaluate_saved(run, data=str(table.parent), device="cpu")
    finally:
        table.write_text(text)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"split": "tets"}, "There is no split 'tets'"),
        ({"classes": "red sqare"}, "has no class 'red sqare'"),
        ({"classes": "red square,red_square"}, "named twice"),
        ({"mask_format": "binery"}, "no mask format 'binery'"),
        ({"masks": "/nowhere"}, "no mask folder /nowhere"),
    ],
)
def test_mistakes(run: Path, asked: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        evaluate_saved(run, device="cpu", **asked)
    assert not (run / "eval").exists()


def test_figures_are_not_written_over_other_things(run: Path, table: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text("{}")
    for path, message in (
        (mine, "dapt did not write it"),
        (run / "results.json", "lies within"),
        (table, "which is read"),
        (table.parent / "images" / "f.json", "lies within the folder images of the data"),
    ):
        before = path.read_bytes() if path.exists() else None
        with pytest.raises(ConfigError, match=message):
            evaluate_saved(run, json_file=path, device="cpu")
        assert (path.read_bytes() if path.exists() else None) == before


def test_the_runs_own_data_named_again_has_the_names_of_the_run(tiny_spec: str, tmp_path: Path) -> None:
    photos, names = make_folder(tmp_path / "photos"), tmp_path / "names.txt"
    names.write_text("a\nb\nc\nd\n")
    given = {"data": str(photos), "model": tiny_spec, "method": "zero_shot", "names": str(names)}
    run_training(make_config({**given, "device": "cpu", "out": str(tmp_path / "named")}))
    own, _ = evaluate_saved(tmp_path / "named", device="cpu")
    again, _ = evaluate_saved(tmp_path / "named", data=str(photos), device="cpu")
    assert again.metrics == own.metrics
    assert list(again.per_class) == ["a", "b", "c", "d"]


def test_a_split_without_images(run: Path, tmp_path: Path) -> None:
    index = make_csv(tmp_path / "other", per_class=2, first=100)  # two training images of each class, no others
    with pytest.raises(DataError, match=r"no labelled images in its test split[\s\S]*--split all"):
        evaluate_saved(run, data=str(index), device="cpu")
    assert evaluate_saved(run, data=str(index), split="all", device="cpu")[0].counts["images"] == 8


def test_damaged_pictures_stop_it_or_are_counted(run: Path, tmp_path: Path) -> None:
    index = make_csv(tmp_path / "other", first=100)
    broken = index.parent / "images" / "red_square_3.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(DataError):
        image_tensor(broken)
    with pytest.raises(DataError, match="red_square_3"):
        evaluate_saved(run, data=str(index), device="cpu")
    record, _ = evaluate_saved(run, data=str(index), skip_bad=True, device="cpu")
    assert (record.counts["images"], record.counts["classes"], record.counts["bad_images"]) == (7, 4, 1)
    assert record.unused == {"in other splits": 24, "damaged": 1}
    assert record.asked["skip_bad"] == "True"
    assert RunFolder(run).done


def test_figures_of_another_reading_are_kept_beside(run: Path) -> None:
    _, first = evaluate_saved(run, device="cpu")
    use_matte("#000000")
    try:
        record, beside = evaluate_saved(run, device="cpu")
    finally:
        use_matte(None)
    assert record.asked == {"matte": "#000000"}
    assert beside != first
    assert json.loads(first.read_text())["asked"] == {}
    assert evaluate_saved(run, device="cpu")[1] == first
