"""Classes that are masks of other photographs, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.read.folder import LONELY, read_folder
from dapt.data.read.layout import LOOSE
from dapt.errors import DataError


def paint(path: Path, *, mask: bool, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    disc = (np.hypot(*np.mgrid[-16:16, -16:16]) < 9).astype(np.uint8) * 255
    Image.fromarray(disc if mask else noise).save(path)


def painted(root: Path, photos: str = "", masks: str = "") -> None:
    for names, mask in ((photos, False), (masks, True)):
        for name in names.split():
            for number in range(6):
                paint(root / name.replace("*", str(number)), mask=mask, seed=number)


@pytest.mark.parametrize(
    ("photos", "masks", "message"),
    [
        ("rgb2/*.jpg", "foo/*.png", "folders rgb2 and foo hold pictures of the same names"),
        ("pets/a/*.jpg pets/b/*.jpg", "zzz/a/*.jpg zzz/b/*.jpg", "folders pets and zzz"),
        (
            "cat/p*.jpg dog/*.jpg",
            "cat/p*_zz.png",
            "In the class folder cat, 6 pictures look like masks or maps of others there",
        ),
        ("cat/zz_p*.jpg dog/*.jpg", "cat/w_p*.png", "'w_' in their names"),
        ("cat/x_*_crop.png dog/*.jpg", "cat/x_*_foocrop.png", "'_foocrop' in their names"),
        ("cat/*.jpg dog/*.jpg", "cat/zz/*.png dog/zz/*.png", "folders cat and cat/zz hold"),
        ("cat/pics/*.jpg dog/*.jpg", "cat/zz/*.png", "folders cat/pics and cat/zz hold"),
        ("cat/*.jpg dog/*.jpg", "zz/cat/*.png zz/dog/*.png", "zz/cat hold pictures of the same names"),
        ("train/cat/p*.jpg train/dog/*.jpg test/cat/*.jpg test/dog/*.jpg", "train/cat/p*.zz.png", "'.zz'"),
    ],
)
def test_masks_under_unknown_names_are_refused(tmp_path: Path, photos: str, masks: str, message: str) -> None:
    painted(tmp_path, photos, masks)
    with pytest.raises(DataError) as caught:
        read_folder(tmp_path)
    assert message in str(caught.value)
    assert "--masks" in str(caught.value)


@pytest.mark.parametrize(
    ("photos", "drawings"),
    [
        ("cat/*.jpg dog/*.jpg", ""),
        ("", "0/*.png 1/*.png 2/*.png"),  # digits
        ("cat/*.jpg dog/*.jpg", "logo/*.png"),
        ("cat/*.jpg cat/*_copy.jpg dog/*.jpg", ""),
        ("cat/*.jpg", "logo/l*.png"),
    ],
)
def test_photos_and_drawings_are_classes(tmp_path: Path, photos: str, drawings: str) -> None:
    painted(tmp_path, photos, drawings)
    expected = {name.split("/")[0] for name in (photos + " " + drawings).split()}
    assert set(read_folder(tmp_path).names) == expected


def test_objects_on_white_are_photos(tmp_path: Path) -> None:
    painted(tmp_path, "cup/*.png")
    for number in range(6):
        pixels = np.full((32, 32, 3), 255, np.uint8)
        pixels[10:20, 10:20] = np.random.default_rng(number).integers(0, 256, (10, 10, 3))
        (tmp_path / "pen").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "pen" / f"{number}.png")
    assert read_folder(tmp_path).names == ("cup", "pen")


def test_masks_of_photos_that_are_not_used_are_counted(tmp_path: Path) -> None:
    painted(tmp_path, "cat/*.jpg dog/*.jpg", "cat/*_mask.png")
    paint(tmp_path / "cover.jpg", mask=False)
    paint(tmp_path / "cover_mask.png", mask=True)
    data = read_folder(tmp_path)
    assert data.unused == {LONELY: ("cover_mask.png",), LOOSE: ("cover.jpg",)}
    assert any(sentence.startswith("6 masks lie") for sentence in data.guessed)


def test_thumbnails_are_left_out(tmp_path: Path) -> None:
    painted(tmp_path, "cat/*.jpg cat/thumbs/*.png dog/*.jpg dog/preview/*.jpg owl/small/o*.jpg owl/big/o*.jpg")
    data = read_folder(tmp_path)
    assert len(data.unused["small copies of photos that are there"]) == 12
    assert sum(map(len, data.splits.values())) == 24


def test_maps_of_depth_are_no_photos(tmp_path: Path) -> None:
    painted(tmp_path, "a/x_*_crop.png b/x_*_crop.png")
    for path in sorted(tmp_path.rglob("*_crop.png")):
        depth = np.add.outer(np.arange(32), np.arange(32)) * 500
        Image.fromarray(depth.astype(np.uint16)).save(path.with_name(path.name.replace("_crop", "_depthcrop")))
    with pytest.raises(DataError, match="'_depthcrop' in their names"):
        read_folder(tmp_path)
