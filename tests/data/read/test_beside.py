"""Masks beside photographs: found where their photograph is there, and never taken for photographs."""

from __future__ import annotations

import time
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


def painted(root: Path, photos: str = "", masks: str = "") -> list[str]:
    """Paint photographs and masks, each at a path with ``*`` for the numbers 0 to 3."""
    for paths, mask in ((photos, False), (masks, True)):
        for place, each in enumerate(paths.split()):
            for number in range(4):
                paint(root / each.replace("*", str(number)), mask=mask, seed=50 * place + number)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.*") if path.is_file())


@pytest.mark.parametrize(
    "photos",
    [
        "ski/*.jpg ski_mask/*.jpg dog/*.jpg",
        "mustang/*.jpg mustang_gt/*.jpg",
        *(f"images/*.jpg {name}/*.jpg" for name in ("labels", "mask", "gt", "seg", "truth", "fg", "masks_binary")),
        "ann/*.jpg ann/*_mask.jpg",
        "mask/*.jpg mask/mask_*.jpg",
        *(f"train/{name}/*.jpg train/{name}_mask/*.jpg test/{name}/*.jpg test/{name}_mask/*.jpg" for name in ("ski",)),
        "cat/*.jpg cat/*.jpg.png",
    ],
)
def test_photos_with_names_of_masks_stay_photos(tmp_path: Path, photos: str) -> None:
    names = painted(tmp_path, photos)
    parted = part_masks(names, tmp_path)
    assert (parted.photos, parted.masks, parted.unused) == (names, {}, {})


@pytest.mark.parametrize(
    ("photos", "masks"),
    [
        ("images/a/*.jpg images/b/*.jpg", "masks/a/*.jpg.png masks/b/*.jpg.png"),
        ("cat/*.jpg", "cat/*.jpg.png"),
        *(
            (f"{a}cat/{b}*.jpg {a}dog/{b}*.jpg", f"{c}cat/{d}*.png {c}dog/{d}*.png")
            for name in ("ground_truth", "masks_binary", "masks_machine", "image_masks", "foreground", "fg", "msk")
            for a, b, c, d in (
                ("images/", "", f"{name}/", ""),
                ("", "images/", "", f"{name}/"),
                ("", "", "", f"{name}/"),
            )
        ),
        ("images/cat/*.jpg", "saliency/cat/*.png"),
        ("images/*.jpg", "ground_truth/*_GT.png"),
        *(("cat/*.jpg", f"cat/*{end}.png") for end in ("_binary_mask", "_mask_instance", "_labelIds", "_msk", "_roi")),
        *(("cat/*.jpg", f"cat/*{end}.png") for end in ("_gtFine_labelIds", "_bin", "_mask", "_alpha")),
        ("cat/*.jpg", "cat/m_*.png"),
        ("cat/*.jpg", "cat/*_mask.jpg"),
        ("cat/x_*_crop.png", "cat/x_*_maskcrop.png"),
        ("a/mask_*.jpg b/*.jpg", "b/*_mask.png"),  # masks elsewhere say nothing
    ],
)
def test_masks_under_further_names(tmp_path: Path, photos: str, masks: str) -> None:
    names = painted(tmp_path, photos, masks)
    parted = part_masks(names, tmp_path)
    expected = sorted(painted_names(masks))
    assert sorted(parted.masks.values()) == expected
    assert parted.photos == [name for name in names if name not in expected]
    assert parted.unused == {}


def painted_names(paths: str) -> list[str]:
    return [each.replace("*", str(number)) for each in paths.split() for number in range(4)]


def test_a_real_mask_makes_no_orphans_of_photos(tmp_path: Path) -> None:
    names = painted(tmp_path, "mask/mask_*.jpg no_mask/no_*.jpg no_mask/mask_1*.jpg")
    paint(tmp_path / "no_mask" / "extra.jpg", mask=False)
    paint(tmp_path / "no_mask" / "extra_mask.png", mask=True)
    parted = part_masks(sorted([*names, "no_mask/extra.jpg", "no_mask/extra_mask.png"]), tmp_path)
    assert parted.photos == sorted([*names, "no_mask/extra.jpg"])
    assert (parted.masks, parted.unused) == ({"no_mask/extra.jpg": "no_mask/extra_mask.png"}, {})


def test_a_class_of_photos_beside_true_masks_of_the_same_names(tmp_path: Path) -> None:
    """Most pictures called so are masks; those of one class are not, in one split as in the other."""
    masks = "train/cat/*_mask.png train/dog/*_mask.png test/cat/*_mask.png"
    names = painted(
        tmp_path,
        "train/cat/*.jpg train/dog/*.jpg test/cat/*.jpg train/ann/*.jpg train/ann/*_mask.jpg test/ann/*_mask.jpg",
        masks,
    )
    parted = part_masks(names, tmp_path)
    assert sorted(parted.masks.values()) == sorted(painted_names(masks))
    assert (len(parted.photos), parted.unused) == (24, {})
    assert "called like masks of other photos, but look like photos" in parted.remarks[0]


def test_one_picture_is_one(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for name in ("1.jpg", "masks/1.jpg"):
        paint(tmp_path / name, mask=False)
    parted = part_masks(["1.jpg", "masks/1.jpg"], tmp_path)
    assert parted.remarks == [
        "1 picture in masks/ is called like a mask of another photo, but looks like a photo: it is read as one."
    ]


def test_a_few_masks_among_photos_that_are_called_so(tmp_path: Path) -> None:
    names = painted(tmp_path, "ann/*.jpg ann/*_mask.jpg ann/1*.jpg", "ann/1*_mask.png ann/a*.jpg")
    paint(tmp_path / "ann" / "a9.jpg", mask=False)
    paint(tmp_path / "ann" / "a9_mask.jpg", mask=True)
    parted = part_masks(sorted([*names, "ann/a9.jpg", "ann/a9_mask.jpg"]), tmp_path)
    assert sorted(parted.masks.values()) == [*(f"ann/1{number}_mask.png" for number in range(4)), "ann/a9_mask.jpg"]


def test_masks_of_all_kinds_look_so(tmp_path: Path) -> None:
    """JPEG, palette, 16 bits, cut-outs, soft mattes."""
    names = painted(tmp_path, "cat/*.jpg")
    disc = np.hypot(*np.mgrid[-16:16, -16:16]) < 9
    soft = np.clip(255 - 9 * np.hypot(*np.mgrid[-16:16, -16:16]), 0, 255).astype(np.uint8)
    photo = np.random.default_rng(1).integers(0, 256, (32, 32, 4), dtype=np.uint8)
    photo[..., 3] = disc * 255
    palette = Image.fromarray(disc.astype(np.uint8))
    palette.putpalette([0, 0, 0, 200, 30, 90])
    kinds = {
        "_mask.jpg": Image.fromarray((disc * 255).astype(np.uint8)),
        "_seg.png": palette,
        "-mask.png": Image.fromarray((disc * 65535).astype(np.uint16)),
        "_alpha.png": Image.fromarray(photo),
        "_matte.png": Image.fromarray(soft),
    }
    for end, picture in kinds.items():
        folder = tmp_path / end.strip("_-").replace(".", "") / "cat"
        for number in range(3):
            folder.mkdir(parents=True, exist_ok=True)
            paint(folder / f"{number}.jpg", mask=False, seed=number)
            picture.save(folder / f"{number}{end}")
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*") if path.is_file())
    parted = part_masks(names, tmp_path)
    assert len(parted.masks) == 15
    assert len(parted.photos) == 15 + 4


def test_spelling_and_two_photos_of_a_mask(tmp_path: Path) -> None:
    names = ["cat/Img0.JPG", "cat/Img0_Mask.png", "cat/img0.jpg"]
    assert part_masks(names, NOWHERE).masks == {"cat/Img0.JPG": "cat/Img0_Mask.png"}
    parted = part_masks(["images/a/0.jpg", "images/a/0.png", "masks/a/0.png"], NOWHERE)
    assert "masks/a/0.png may belong to images/a/0.jpg and images/a/0.png" in parted.remarks[0]


def test_several_masks_of_a_photo_in_a_folder(tmp_path: Path) -> None:
    names = painted(tmp_path, "images/*.jpg", "masks/*_0.png masks/*_1.png")
    parted = part_masks(names, tmp_path)
    assert parted.photos == [f"images/{number}.jpg" for number in range(4)]
    assert len(parted.masks) == len(parted.unused[FURTHER]) == 4


@pytest.mark.long
def test_a_folder_of_masks_for_every_photo_takes_no_long() -> None:
    names = [f"c{number}/{folder}/0.png" for number in range(4000) for folder in ("images", "masks")]
    start = time.process_time()
    assert len(part_masks(names, NOWHERE).masks) == 4000
    assert time.process_time() - start < 4
