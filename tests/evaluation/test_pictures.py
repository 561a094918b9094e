"""Pictures named after images: never over a file of the user's, never out of their folder, never over each other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from dapt.errors import ConfigError
from dapt.evaluation import pictures
from dapt.evaluation.pictures import NAME_BYTES, picture_files, write_picture
from dapt.runs.predict import predict_files
from hostile import TITLE


def explain(paths: list[Path], folder: Path) -> list[str]:
    for target in picture_files(paths, folder):
        write_picture(Image.new("RGB", (4, 4)), target)
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def photo(path: Path, **info: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (9, 9), "red").save(path, **info)
    return path


def test_a_photograph_of_that_name_is_left_alone(tmp_path: Path) -> None:
    paths = [photo(tmp_path / "photos" / name) for name in ("a.jpg", "cat.png")]
    before = contents(tmp_path / "photos")
    with pytest.raises(ConfigError) as caught:
        explain(paths, tmp_path / "photos")
    assert str(tmp_path / "photos" / "cat.png") in caught.value.message
    assert "--explain" in caught.value.message
    assert contents(tmp_path / "photos") == before, "nothing was written, not for the other image either"


def test_it_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    path = photo(tmp_path / "cat.png")
    with pytest.raises(ConfigError, match=r"cat\.png"):
        predict_files(tmp_path / "no run", [path], explain=tmp_path)


@pytest.mark.parametrize("kind", ["text", "png of another program", "jpeg", "folder", "link", "broken link", "damaged"])
def test_whatever_is_not_ours_is_left_alone(tmp_path: Path, kind: str) -> None:
    image, folder = photo(tmp_path / "cat.jpg"), tmp_path / "looks"
    folder.mkdir()
    target = folder / "cat.png"
    if kind == "text":
        target.write_text("thesis")
    elif kind == "png of another program":
        photo(target)
    elif kind == "jpeg":
        shutil.copy(image, target)
    elif kind == "folder":
        target.mkdir()
    elif kind == "damaged":
        target.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(9))
    else:
        if kind == "link":
            explain([image], tmp_path / "ours")
        target.symlink_to(tmp_path / "ours" / "cat.png")
    before = target.lstat()
    with pytest.raises(ConfigError, match=r"cat\.png exists and is no picture"):
        explain([image], folder)
    assert target.lstat() == before


def test_a_file_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    (target,) = picture_files([photo(tmp_path / "cat.jpg")], tmp_path / "looks")
    (tmp_path / "looks").mkdir()
    (tmp_path / "looks" / "cat.png").write_text("thesis")
    with pytest.raises(ConfigError, match=r"cat\.png exists"):
        write_picture(Image.new("RGB", (4, 4)), target)
    assert (tmp_path / "looks" / "cat.png").read_text() == "thesis"


def test_ours_are_written_again(tmp_path: Path) -> None:
    image = photo(tmp_path / "cat.jpg")
    assert explain([image], tmp_path / "looks") == ["cat.png"]
    assert explain([image], tmp_path / "looks") == ["cat.png"]


def test_images_of_one_name_do_not_meet(tmp_path: Path) -> None:
    names = ["a/cat.jpg", "b/cat.jpg", "b/cat-2.jpg", "a/Cat.png", "a/e\u0301.png", "b/\u00e9.png"]
    paths = [photo(tmp_path / name) for name in names]
    found = explain(paths, tmp_path / "looks")
    assert len(found) == len(paths)
    assert {"cat.png", "cat-2.png", "cat-2-2.png", "Cat-3.png"} <= set(found)
    assert len({name.casefold() for name in found}) == len(paths), "on file systems that take A and a for the same, too"


def test_hostile_and_long_names_stay_in_the_folder(tmp_path: Path) -> None:
    names = [
        "...png",
        "..png",
        ".png",
        "x" * 251 + ".png",
        "x" * 250 + "y.png",
        "é" * 125 + ".jpg",
        TITLE,
        " .png",
        "-.png",
    ]
    paths = [photo(tmp_path / "photos" / name, format="png") for name in names]
    paths.append(photo(tmp_path / "photos" / ("z" * 255), format="png"))
    found = explain(paths, tmp_path / "looks")
    assert len(found) == len(paths)
    assert all(len(os.fsencode(name)) <= NAME_BYTES + 20 for name in found)
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "looks"}
    assert len(list((tmp_path / "photos").iterdir())) == len(paths)


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    image = photo(tmp_path / "cat.jpg")
    with pytest.raises(ConfigError, match="is a file, not a folder"):
        picture_files([image], image)


@pytest.mark.parametrize("bitmap", [False, True])
def test_captions_of_any_class_name(monkeypatch: pytest.MonkeyPatch, bitmap: bool) -> None:
    if bitmap:  # all that a Pillow without FreeType has
        monkeypatch.setattr(ImageDraw.ImageDraw, "font", ImageFont.load_default_imagefont())
    sheet = pictures.row([(f"漢👍\n\udcff {TITLE}", Image.new("RGB", (8, 8)))] * 2)
    assert sheet.size == (2 * pictures.SIDE + 6, pictures.SIDE + pictures.CAPTION)
