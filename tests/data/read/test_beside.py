"""Masks beside photographs: found where their photograph is there, and never taken for photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.read.beside import FURTHER, ORPHANS, part_masks

NOWHERE = Path("/nowhere")  # names are enough


@pytest.mark.parametrize(
    ("photo", "mask"),
    [
        *(("cat/a.jpg", f"cat/a{end}.png") for end in ("_mask", "-mask", ".mask", "_seg", "_alpha", "_Mask", " mask")),
        *(("cat/a.jpg", f"cat/a{end}.png") for end in ("_segmentation", "_matte", "_masks", "_mask_1", "_MASK (2)")),
        ("cat/a (1).png", "cat/a (1)_mask.png"),
        ("cat/a.jpg", "cat/mask_a.png"),
        ("a.jpg", "a_mask.jpg"),
        ("cat/a.jpg", "masks/cat/a.png"),
        ("cat/a.jpg", "cat/masks/a.png"),
        ("cat/images/a.jpg", "cat/masks/a.png"),
        ("images/cat/a.jpg", "masks/cat/a_mask.png"),
        ("train/cat/a.jpg", "masks/train/cat/a.png"),
        ("train/cat/a.jpg", "train_masks/cat/a.png"),
        ("train/images/cat/a.jpg", "train/masks/cat/a.png"),
        ("Images/a.jpg", "Segmentation/a.png"),
        ("JPEGImages/a.jpg", "SegmentationClass/a.png"),
    ],
)
def test_a_mask_and_its_photo(photo: str, mask: str) -> None:
    parted = part_masks(sorted([photo, mask]), NOWHERE)
    assert parted.photos == [photo]
    assert parted.masks == {photo: mask}
    assert parted.unused == {}
    assert len(parted.how) == 1


@pytest.mark.parametrize(
    "names",
    [
        ["with_mask/1.png", "with_mask/2.png", "without_mask/1.png", "without_mask/2.png"],
        ["mask/1.png", "mask/2.png", "mask/3.png", "no_mask/1.png", "no_mask/2.png", "no_mask/3.png"],
        ["faces/ann_mask.jpg", "faces/bob_mask.jpg", "hats/ann.jpg"],
        ["labels/1.jpg", "stickers/1.jpg"],
        ["a/mask.png", "a/seg.png", "b/alpha.png"],
        ["cars/car.jpg", "cars/car_gt.jpg"],  # a fast one; nothing but the name speaks for a mask
        ["cat/1.jpg", "cat/1.png"],
    ],
)
def test_photos_stay_photos(names: list[str]) -> None:
    parted = part_masks(names, NOWHERE)
    assert (parted.photos, parted.masks, parted.unused) == (names, {}, {})


def test_further_and_lonely_masks_are_counted() -> None:
    names = ["cat/a.png", "cat/a_mask.png", "cat/a_mask_1.png", "cat/b_mask.png", "cat/c.png", "masks/cat/c.png"]
    parted = part_masks([*names, "masks/dog/x.png"], NOWHERE)
    assert parted.photos == ["cat/a.png", "cat/c.png"]
    assert parted.masks == {"cat/a.png": "cat/a_mask.png", "cat/c.png": "masks/cat/c.png"}
    assert parted.unused == {FURTHER: ["cat/a_mask_1.png"], ORPHANS: ["masks/dog/x.png", "cat/b_mask.png"]}


def paint(path: Path, *, mask: bool, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    disc = (np.hypot(*np.mgrid[-16:16, -16:16]) < 9).astype(np.uint8) * 255
    Image.fromarray(disc if mask else noise).save(path)


def test_what_only_the_content_tells(tmp_path: Path) -> None:
    """Masks that lie flat, that have the name of their photo, or a word in it that says little."""
    for number in range(4):
        paint(tmp_path / "cat" / f"c{number}.jpg", mask=False, seed=number)
        paint(tmp_path / "masks" / f"c{number}.png", mask=True)
        paint(tmp_path / "dog" / f"d{number}.jpg", mask=False, seed=9 + number)
        paint(tmp_path / "dog" / f"d{number}.png", mask=True)
        paint(tmp_path / "owl" / f"o{number}.jpg", mask=False, seed=19 + number)
        paint(tmp_path / "owl" / f"o{number}_gt.png", mask=True)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    parted = part_masks(names, tmp_path)
    assert parted.photos == [name for name in names if name.endswith(".jpg")]
    assert sorted(parted.masks.values()) == [name for name in names if name.endswith(".png")]
    assert all(Path(photo).stem == Path(mask).stem.removesuffix("_gt") for photo, mask in parted.masks.items())


def test_photos_with_the_names_of_masks(tmp_path: Path) -> None:
    for number in range(4):
        paint(tmp_path / "mask" / f"{number}.jpg", mask=False, seed=number)
        paint(tmp_path / "no_mask" / f"{number}.jpg", mask=False, seed=number + 5)
        paint(tmp_path / "dog" / f"{number}.jpg", mask=False, seed=number + 9)
        paint(tmp_path / "dog" / f"{number}.png", mask=False, seed=number + 9)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert part_masks(names, tmp_path).photos == names
