"""Names of mask files: flat folders, double extensions, patterns, several of one image."""

from __future__ import annotations

import posixpath
from pathlib import Path
from types import SimpleNamespace

import pytest

from dapt.data.items import Item
from dapt.data.masks import mask_finder
from dapt.data.masks.mask_finder import MaskFinder, SharedMaskError
from dapt.errors import ConfigError, DataError
from dapt.strict import nfc
from helpers import fill


def item(root: Path, name: str) -> Item:
    return Item(root / "photos" / name, 0, name)


def found(root: Path, name: str, pattern: str | None = None) -> list[str]:
    finder = MaskFinder(root / "masks", "binary", pattern)
    return [path.relative_to(root / "masks").as_posix() for path in finder.find(item(root, name))]


def test_a_folder_of_masks_side_by_side(tmp_path: Path) -> None:
    fill(tmp_path / "masks", "a.png", ".hidden/x.png")
    assert found(tmp_path, "cat/a.jpg") == ["a.png"]
    assert found(tmp_path, "cat/b.jpg") == []
    fill(tmp_path / "masks", "cat/c.png")  # not flat any more
    assert found(tmp_path, "cat/a.jpg") == []


def test_stems_that_two_classes_share(tmp_path: Path) -> None:
    fill(tmp_path / "masks", "a.png")
    with pytest.raises(SharedMaskError, match="would share the mask") as caught:
        MaskFinder(tmp_path / "masks", "binary").check([item(tmp_path, "cat/a.jpg"), item(tmp_path, "dog/a.jpg")])
    assert "{parent}_{stem}.png" in caught.value.todo


def test_double_extensions(tmp_path: Path) -> None:
    fill(tmp_path / "masks", "cat/a.jpg.png")
    assert found(tmp_path, "cat/a.jpg") == ["cat/a.jpg.png"]
    fill(tmp_path / "masks", "cat/a.png")
    with pytest.raises(DataError, match="two mask files with one name"):
        found(tmp_path, "cat/a.jpg")


@pytest.mark.parametrize(
    ("pattern", "file"),
    [
        ("{stem}_mask.png", "cat/a_mask.png"),
        ("{stem}_mask", "cat/a_mask.TIF"),
        ("{name}.png", "cat/a.jpg.png"),
        ("{parent}_{stem}.png", "cat_a.png"),
        ("SegmentationClass/{stem}.png", "SegmentationClass/a.png"),
        ("{parent}/gt/{stem}.png", "cat/gt/a.png"),
        ("gt/{stem}.png", "cat/gt/a.png"),
        ("*-{stem}.png", "cat/7-a.png"),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, file: str) -> None:
    fill(tmp_path / "masks", file, "cat/b_mask.png", "cat/a_mask.txt")
    assert found(tmp_path, "cat/a.jpg", pattern) == [file]
    assert found(tmp_path, "cat/c.jpg", pattern) == []


def test_several_masks_of_one_image(tmp_path: Path) -> None:
    fill(tmp_path / "masks", "a_0.png", "a_1.png", "b_0.png", "aa_0.png")
    assert found(tmp_path, "cat/a.jpg", "{stem}_*.png") == ["a_0.png", "a_1.png"]
    fill(tmp_path / "masks", "a_b_0.png")
    images = [item(tmp_path, "cat/a.jpg"), item(tmp_path, "cat/a_b.jpg")]
    with pytest.raises(SharedMaskError):  # of the image a_b, too
        MaskFinder(tmp_path / "masks", "binary", "{stem}_*.png").check(images)


def test_letters_of_file_names_are_no_wildcards(tmp_path: Path) -> None:
    fill(tmp_path / "masks", "a[1]+_m.png", "a1_m.png")
    assert found(tmp_path, "cat/a[1]+.jpg", "{stem}_*.png") == ["a[1]+_m.png"]


def test_masks_beside_the_images(tmp_path: Path) -> None:
    fill(tmp_path / "photos", "cat/a.png", "cat/a_mask.png")
    image = item(tmp_path, "cat/a.png")
    finder = MaskFinder(tmp_path / "photos", "binary", "{stem}_mask.png")
    assert finder.find(image) == (tmp_path / "photos" / "cat" / "a_mask.png",)
    assert MaskFinder(tmp_path / "photos", "binary", "{stem}*.png").find(image) == finder.find(image)
    with pytest.raises(DataError, match="is that image itself") as caught:
        MaskFinder(tmp_path / "photos", "binary").find(image)
    assert "--mask-name" in caught.value.todo
    with pytest.raises(ConfigError):
        MaskFinder(tmp_path / "photos", "binary", "mask.png")


def test_names_in_another_unicode_form(tmp_path: Path) -> None:
    """A Mac writes an umlaut as two characters; a mask made elsewhere has it as one."""
    fill(tmp_path / "masks" / "cat", "Mu\u0308ller.png")
    finder = MaskFinder(tmp_path / "masks", "binary")
    assert finder.find(item(tmp_path, "cat/M\u00fcller.jpg")) == (tmp_path / "masks" / "cat" / "Mu\u0308ller.png",)


LETTERS = str.maketrans("0123456789", "abcdefghij")


@pytest.mark.parametrize(
    ("pattern", "mask"),
    [
        ("task-*-{stem}-x.png", "task-{far}-{stem}-x.png"),
        ("task-*-{stem}-x", "task-{far}-{stem}-x.png"),
        ("*{stem}*", "a-{far}-{stem}_b.png"),
        ("*-{stem}-*.png", "a-{far}-{stem}-b.png"),
        ("{stem}_*.png", "{stem}_{far}.png"),
        (None, "caf\u00e9{stem}.png"),
    ],
)
def test_the_work_grows_with_the_number_of_masks(tmp_path: Path, monkeypatch, pattern, mask) -> None:
    """Names looked at, counted: twice as many images are not four times the work."""
    looked = {"names": 0}

    def counted(*parts):
        looked["names"] += 1
        return splitext(*parts)

    def spelled(text):
        looked["names"] += 1
        return nfc(text)

    splitext = mask_finder.posixpath.splitext
    monkeypatch.setattr(mask_finder, "nfc", spelled)
    monkeypatch.setattr(mask_finder, "posixpath", SimpleNamespace(**{**vars(posixpath), "splitext": counted}))
    work = []
    for number in (200, 800):
        folder = tmp_path / str(number)
        stems = [f"{each:04d}" for each in range(number)]
        fill(folder, *(mask.format(stem=stem, far=str(7 * int(stem)).translate(LETTERS)) for stem in stems))
        finder = MaskFinder(folder, "binary", pattern)
        start = looked["names"]
        for stem in stems:
            name = f"{stem}.jpg" if pattern else f"cafe\u0301{stem}.jpg"
            (found,) = finder.find(Item(tmp_path / "photos" / name, 0, name))
            assert stem in found.name
        work.append(looked["names"] - start)
    assert work[1] < 8 * work[0]
