"""Classifying files: which files are meant, what is said of those that cannot be read, and how it is printed."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest
import torch
from PIL import Image

import dapt
from dapt.errors import ConfigError, DataError
from dapt.model.predictor import Prediction
from dapt.model.prompted_clip import PromptedClip
from dapt.runs.predict import (
    check_explain,
    check_explain_apart,
    find_images,
    predict_files,
    predict_images,
    print_predictions,
)
from helpers import draw, fill, tiny_clip

NAMES = ["red square", "blue disc", "green bar"]
TWO = [
    Prediction(Path("a.png"), ("red square", "blue disc"), (0.75, 0.25)),
    Prediction(Path("=1+1.png"), ("-minus", "a,b"), (0.5, 0.125)),
]


@pytest.fixture(scope="module")
def model() -> PromptedClip:
    return dapt.create_model(tiny_clip(), "maple", NAMES, depth=2).eval()


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        draw("red_square", number)[0].save(path)
    return paths


def test_files_as_given_and_folders_in_order(tmp_path: Path) -> None:
    fill(tmp_path, "b/2.JPG", "b/1.png", "b/deeper/3.webp", "b/notes.txt", "z.xyz")
    assert find_images([tmp_path / "z.xyz", tmp_path / "b"]) == [
        tmp_path / name for name in ("z.xyz", "b/1.png", "b/2.JPG", "b/deeper/3.webp")
    ]


def test_what_is_no_image(tmp_path: Path) -> None:
    fill(tmp_path, "empty/notes.txt")
    with pytest.raises(DataError, match="holds no image"):
        find_images([tmp_path / "empty"])
    with pytest.raises(DataError, match="There is no image or folder"):
        find_images([tmp_path / "absent.png"])
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DataError, match=r"pipe\.png is not read"):
        find_images([tmp_path / "pipe.png"])


def test_leftovers_and_masks_beside_photos_are_not_classified(tmp_path: Path, capsys) -> None:
    fill(
        tmp_path,
        "cat/a.jpg",
        "cat/a_mask.png",
        "cat/._a.jpg",
        "__MACOSX/cat/a.jpg",
        "cat/.ipynb_checkpoints/a.jpg",
        "b.avif",
    )
    fill(tmp_path, "clip.mp4")
    assert find_images([tmp_path]) == [tmp_path / "b.avif", tmp_path / "cat" / "a.jpg"]
    told = capsys.readouterr().err.replace("\n", " ")
    for part in ("3 files, left by other programs", "1 file, masks of photos", "1 file, videos and sound (clip.mp4)"):
        assert part in told
    assert find_images([tmp_path / "cat" / "a_mask.png"]) == [tmp_path / "cat" / "a_mask.png"]  # named by the user
    fill(tmp_path / "left", "Thumbs.db")
    with pytest.raises(DataError, match=r"holds no image\. It holds 1 file, left by other programs"):
        find_images([tmp_path / "left"])


def test_the_most_likely_classes_come_first(model: PromptedClip, pictures: list[Path]) -> None:
    found = predict_images(model, pictures, top=2)
    assert [prediction.path for prediction in found] == pictures
    for path, prediction in zip(pictures, found, strict=True):
        with torch.no_grad():
            chances = model(model.preprocess(path)[None]).softmax(dim=1)[0]
        values, order = chances.sort(descending=True)
        assert prediction.classes == tuple(NAMES[place] for place in order[:2])
        assert prediction.probabilities == pytest.approx(values[:2].tolist(), abs=1e-5)


def test_damaged_files_stop_it_or_are_left_out(model: PromptedClip, pictures: list[Path], capsys) -> None:
    pictures[1].write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1\.png"):
        predict_images(model, pictures)
    found = predict_images(model, pictures, skip_bad=True)
    assert [prediction.path for prediction in found] == [pictures[0], pictures[2]]
    assert "1 damaged image was left out" in capsys.readouterr().err


def test_of_a_finished_run(trained: Path, pictures: list[Path], tmp_path: Path, capsys) -> None:
    found = predict_files(trained, pictures, classes=["cat", "dog"], top=1, explain=tmp_path / "where", device="cpu")
    assert {name for prediction in found for name in prediction.classes} <= {"cat", "dog"}
    assert len(list((tmp_path / "where").iterdir())) == 3
    told = " ".join(capsys.readouterr().err.split())
    assert "the foreground is guessed by border; where the guess is wrong" in told
    assert "dapt explain takes mask files or another cue" in told
    assert f"3 pictures of what decides in {tmp_path / 'where'}" in told
    for path in pictures:
        path.write_bytes(b"")
    with pytest.raises(DataError, match="nothing to predict"):
        predict_files(trained, pictures, skip_bad=True, device="cpu")


def test_no_class_is_named_twice(trained: Path, pictures: list[Path]) -> None:
    with pytest.raises(ConfigError, match="The class 'cat' is named twice"):
        predict_files(trained, pictures, classes=["cat", "dog", "cat"], device="cpu")


def test_pictures_of_where_a_model_looks_go_to_no_photographs(run: Path, trained: Path, tmp_path: Path) -> None:
    fill(tmp_path, "photos/a.png")
    check_explain(tmp_path / "where", [tmp_path / "photos"])
    check_explain(tmp_path / "photos", [tmp_path / "photos" / "a.png"])  # an image alone may lie beside its picture
    for folder, images, message in (
        (tmp_path / "photos" / "where", [tmp_path / "photos"], "would be taken for photographs"),
        (run, [], "which dapt fills"),
        (run / "where", [], "which dapt fills"),
        (tmp_path / "photos" / "a.png", [], "is a file, not a folder"),
    ):
        with pytest.raises(ConfigError, match=message):
            check_explain(folder, images)
    check_explain_apart(tmp_path / "where", run)
    with pytest.raises(ConfigError, match="lies within the folder images of the data of the run"):
        check_explain_apart(trained.parent / "table" / "images" / "where", run)
    with pytest.raises(ConfigError, match="There is no run"):
        check_explain_apart(tmp_path / "where", tmp_path / "absent")


def test_as_json(capsys) -> None:
    print_predictions(TWO, "json")
    first, second = json.loads(capsys.readouterr().out)
    assert first == {
        "image": "a.png",
        "predictions": [
            {"class": "red square", "probability": 0.75},
            {"class": "blue disc", "probability": 0.25},
        ],
    }
    assert second["image"] == "=1+1.png"


def test_as_csv_no_path_is_a_formula(capsys) -> None:
    print_predictions(TWO, "csv")
    captured = capsys.readouterr()
    rows = list(csv.reader(io.StringIO(captured.out)))
    assert rows == [
        ["image", "rank", "class", "probability"],
        ["a.png", "1", "red square", "0.750000"],
        ["a.png", "2", "blue disc", "0.250000"],
        ["./=1+1.png", "1", "-minus", "0.500000"],
        ["./=1+1.png", "2", "a,b", "0.125000"],
    ]
    assert "1 image paths begin like a formula" in captured.err
    assert "1 class names begin like a formula (-minus)" in captured.err


def test_control_characters_are_escapes_in_csv_and_exact_in_json(capsys) -> None:
    odd = [Prediction(Path("a\nb.png"), ("x\x1by",), (1.0,))]
    print_predictions(odd, "csv")
    captured = capsys.readouterr()
    assert list(csv.reader(io.StringIO(captured.out)))[1] == ["a\\nb.png", "1", "x\\x1by", "1.000000"]
    assert "2 names stand in the CSV with escapes" in captured.err
    print_predictions(odd, "json")
    assert json.loads(capsys.readouterr().out) == [
        {"image": "a\nb.png", "predictions": [{"class": "x\x1by", "probability": 1.0}]}
    ]


def test_as_a_table_every_image_is_named_once(capsys) -> None:
    print_predictions(TWO, "table")
    shown = capsys.readouterr().out
    assert shown.count("a.png") == 1
    assert "75.0%" in shown
    assert "12.5%" in shown


def test_a_picture_of_one_pixel(model: PromptedClip, tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), "red").save(tmp_path / "dot.png")
    (found,) = predict_images(model, [tmp_path / "dot.png"])
    assert sum(found.probabilities) == pytest.approx(1.0, abs=1e-5)
    assert len(found.classes) == 3, "there are fewer classes than are asked for"


def test_a_table_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,label\na.png,cat\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"labels\.csv is a table or a text, not an image") as caught:
        find_images([tmp_path / "labels.csv"])
    assert "folder" in caught.value.todo
