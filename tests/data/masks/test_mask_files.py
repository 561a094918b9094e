"""Mask files: formats, sizes, and where they are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.data.items import Item
from dapt.data.masks.mask_collections import MaskCounts, check_convention, formats_that_fit
from dapt.data.masks.mask_files import fit_mask, foreground_of, mirrored, misread, read_mask, read_values
from dapt.data.masks.mask_finder import MaskFinder
from dapt.errors import DataError


def save(path: Path, values: object, mode: str | None = None) -> Path:
    picture = Image.fromarray(np.array(values, dtype=np.uint8))
    if mode == "P":
        picture = Image.fromarray(np.array(values, dtype=np.uint8), mode="L").convert("P")
        picture = Image.new("P", picture.size)
        picture.putdata([int(v) for row in values for v in row])
        picture.putpalette([(value * 37) % 256 for value in range(768)])
    picture.save(path)
    return path


def test_binary_at_128(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", [[0, 127], [128, 255]])
    assert read_mask(path, "binary").tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize("mode", [None, "P"])
def test_label_maps_and_pascal_ignore(tmp_path: Path, mode: str | None) -> None:
    path = save(tmp_path / "m.png", [[0, 1], [15, 255]], mode)
    assert read_mask(path, "labels").tolist() == [[False, True], [True, False]]


def test_trimap(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", [[1, 2], [3, 1]])
    assert read_mask(path, "trimap").tolist() == [[True, False], [False, True]]


def test_colour_masks(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", [[[255, 255, 255], [0, 0, 0]]])
    assert read_mask(path, "binary").tolist() == [[True, False]]
    grey = save(tmp_path / "l.png", [[[2, 2, 2], [0, 0, 0]]])
    assert read_mask(grey, "labels").tolist() == [[True, False]]
    colour = save(tmp_path / "c.png", [[[0, 128, 0], [0, 0, 0]]])
    with pytest.raises(DataError, match=r"c\.png is a colour picture, the format 'labels' needs one number"):
        read_mask(colour, "labels")


def test_unusual_mask_pictures(tmp_path: Path) -> None:
    one_bit = tmp_path / "one.png"
    Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).convert("1").save(one_bit)
    assert read_mask(one_bit, "labels").tolist() == read_mask(one_bit, "binary").tolist() == [[False, True]]
    cut_out = tmp_path / "alpha.png"
    Image.fromarray(np.array([[[255, 255, 255, 0], [255, 255, 255, 255]]], dtype=np.uint8), "RGBA").save(cut_out)
    assert read_mask(cut_out, "binary").tolist() == [[False, True]]
    deep = tmp_path / "deep.png"
    Image.fromarray(np.array([[100, 65535]], dtype=np.uint16)).save(deep)
    assert read_mask(deep, "binary").tolist() == [[False, True]]
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.fromarray(np.zeros((8, 16), dtype=np.uint8)).save(turned, exif=exif)
    assert read_mask(turned, "binary").shape == (16, 8)


def test_resizing_keeps_the_aspect(tmp_path: Path) -> None:
    mask = torch.zeros(10, 20, dtype=torch.bool)
    mask[:, :10] = True
    large = fit_mask(mask, (40, 80), tmp_path / "m", tmp_path / "i")
    assert large.shape == (40, 80)
    assert large[:, :40].all()
    assert not large[:, 40:].any()
    fit_mask(mask, (40, 81), tmp_path / "m", tmp_path / "i")
    with pytest.raises(DataError, match=r"mask .*m \(20 x 10\)[\s\S]*image .*i \(40 x 40\)"):
        fit_mask(mask, (40, 40), tmp_path / "m", tmp_path / "i")


def test_unreadable_and_missing(tmp_path: Path) -> None:
    broken = tmp_path / "m.png"
    broken.write_bytes(b"\x89PNG nonsense")
    with pytest.raises(DataError, match=r"m\.png cannot be read"):
        read_mask(broken, "binary")
    with pytest.raises(DataError, match="There is no mask"):
        read_mask(tmp_path / "absent.png", "binary")


def test_mirrored_folder_takes_any_extension(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    save(tmp_path / "cat" / "one.png", [[0, 255]])
    assert mirrored(tmp_path, "cat/one.jpg") == tmp_path / "cat" / "one.png"
    assert mirrored(tmp_path, "cat/two.jpg") is None
    save(tmp_path / "cat" / "one.jpg", [[0, 255]])
    with pytest.raises(DataError, match=r"two mask files with one name: .*one\.png and .*one\.jpg"):
        mirrored(tmp_path, "cat/one.jpg")


def disc(size: tuple[int, int] = (120, 160), value: int = 255) -> np.ndarray:
    """A disc of one value on 0, ``[H, W]``."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    inside = (rows - size[0] / 2) ** 2 + (columns - size[1] / 2) ** 2 < (size[0] / 3) ** 2
    return (inside * value).astype(np.uint8)


def test_values_of_the_released_dapt_masks(tmp_path: Path) -> None:
    values = [[0, 1, 2], [254, 255, 128]]
    expected = [[False, True, True], [True, False, True]]
    assert read_mask(save(tmp_path / "grey.png", values), "dapt").tolist() == expected
    assert read_mask(save(tmp_path / "palette.png", values, "P"), "dapt").tolist() == expected
    colour = [[[value, 9, 0] for value in row] for row in values]
    assert read_mask(save(tmp_path / "colour.png", colour), "dapt").tolist() == expected


def test_values_of_the_foreground_collection(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", [[[127, 127, 128], [128, 128, 128]], [[255, 255, 255], [255, 0, 0]]])
    assert read_mask(path, "foreground").tolist() == [[False, True], [True, False]]
    assert read_mask(save(tmp_path / "g.png", [[0, 127, 128, 255]]), "foreground").tolist() == [
        [False, False, True, True]
    ]
    bright_green = save(tmp_path / "green.png", [[[0, 255, 0]]])  # bright to the eye, dark on average
    assert read_mask(bright_green, "foreground").tolist() == [[False]]
    with pytest.raises(DataError, match="is a picture in colours; 'binary' needs black and white"):
        read_mask(bright_green, "binary")


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_masks(tmp_path: Path, channels: int) -> None:
    """Compression blurs edges: thresholds do not mind, label maps gain a rim, as with the released code."""

    def jpeg(value: int) -> Path:
        picture = Image.fromarray(disc(value=value))
        (picture if channels == 1 else picture.convert("RGB")).save(tmp_path / f"{value}.jpg", quality=75)
        return tmp_path / f"{value}.jpg"

    true = torch.from_numpy(disc() > 0)
    assert float((read_mask(jpeg(255), "foreground") ^ true).float().mean()) < 0.005
    labels = read_mask(jpeg(60), "dapt")
    assert bool(labels[true].all())
    assert 0 < float(labels[~true].float().mean()) < 0.1
    white = read_values(jpeg(255), "dapt")
    rim = foreground_of(white, "dapt")
    assert 0 < float(rim.float().mean()) < 0.2
    assert misread(white, rim, "dapt")
    assert not misread(read_values(jpeg(60), "dapt"), labels, "dapt")


def item(path: Path, root: Path) -> Item:
    return Item(path, 0, path.relative_to(root).as_posix())


@pytest.mark.parametrize("kind", ["dapt", "foreground"])
@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("caltech-101/101_ObjectCategories/accordion/x.jpg", "accordion/x.jpg"),  # last two components
        ("oxford_pets/images/x.jpg", "x.jpg"),  # file name
        ("imagenet/images/train/n01/x.JPEG", "train/n01/x.JPEG"),  # a longer end
        ("outer/inner/classes/accordion/x.jpg", "inner/classes/accordion/x.jpg"),  # relative to the outer folder
        ("outer/inner/classes/accordion/x.jpg", "classes/accordion/x.jpg"),  # relative to the inner folder
        ("outer/inner/accordion/x.jpg", "accordion/x.png"),  # another extension
    ],
)
def test_masks_of_collections_lie_at_the_longest_end_of_the_path(
    tmp_path: Path, kind: str, image: str, mask: str
) -> None:
    folder = tmp_path / "masks"
    target = folder / mask
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    asked = item(tmp_path / image, tmp_path)
    assert MaskFinder(folder, kind).find(asked) == (target,)
    if mask.count("/"):
        (folder / target.name).touch()  # a shorter end does not win
        assert MaskFinder(folder, kind).find(asked) == (target,)
    assert MaskFinder(folder, kind).find(item(tmp_path / image.replace("x.", "y."), tmp_path)) == ()


def test_mirrored_formats_do_not_look_at_ends_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "masks" / "cat").mkdir(parents=True)
    (tmp_path / "masks" / "cat" / "x.png").touch()
    finder = MaskFinder(tmp_path / "masks", "labels")
    assert finder.find(Item(tmp_path / "p/cat/x.jpg", 0, "cat/x.jpg")) == (tmp_path / "masks" / "cat" / "x.png",)
    assert finder.find(Item(tmp_path / "p/cat/x.jpg", 0, "p/cat/x.jpg")) == ()
    (tmp_path / "masks" / "cat" / "y.txt").touch()
    assert finder.find(Item(tmp_path / "p/cat/y.jpg", 0, "cat/y.jpg")) == ()


def test_a_path_through_the_parent_folder_does_not_leave_the_mask_folder(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "x.png").touch()
    asked = Item(tmp_path / "photos" / ".." / "cat" / "x.jpg", 0, "x.jpg")
    assert MaskFinder(tmp_path / "masks", "dapt").find(asked) == ()


@pytest.mark.parametrize("kind", ["binary", "dapt"])
def test_two_files_with_one_name(tmp_path: Path, kind: str) -> None:
    for name in ("a.png", "a.tif"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"two mask files with one name: .*a\.png and .*a\.tif"):
        MaskFinder(tmp_path, kind).find(Item(tmp_path / "p" / "a.jpg", 0, "a.jpg"))
    (tmp_path / "a.jpg").touch()
    own = Item(tmp_path / "p" / "a.jpg", 0, "a.jpg")
    if kind == "dapt":  # a collection's file is called exactly as the image
        assert MaskFinder(tmp_path, kind).find(own) == (tmp_path / "a.jpg",)
    else:
        with pytest.raises(DataError, match="two mask files"):
            MaskFinder(tmp_path, kind).find(own)


def test_one_flat_mask_for_two_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "1.jpg").touch()
    items = [item(tmp_path / "photos" / name, tmp_path / "photos") for name in ("cat/1.jpg", "dog/1.jpg")]
    with pytest.raises(DataError, match=r"images cat/1\.jpg and dog/1\.jpg would share the mask .*masks/1\.jpg"):
        MaskFinder(tmp_path / "masks", "dapt").check(items)
    MaskFinder(tmp_path / "masks", "dapt").check([items[0], items[0]])  # an image that is listed twice is no second one
    for name in ("cat", "dog"):
        (tmp_path / "masks" / name).mkdir()
        (tmp_path / "masks" / name / "1.jpg").touch()
    MaskFinder(tmp_path / "masks", "dapt").check(items)


@pytest.mark.parametrize("kind", ["binary", "foreground"])
def test_an_image_is_not_its_own_mask(tmp_path: Path, kind: str) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "x.jpg").touch()
    with pytest.raises(DataError, match=r"cat/x\.jpg is that image itself"):
        MaskFinder(tmp_path, kind).find(item(tmp_path / "cat" / "x.jpg", tmp_path))


def test_each_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    (tmp_path / "masks" / "cat").mkdir(parents=True)
    items = [item(tmp_path / "photos" / "cat" / f"{number}.jpg", tmp_path) for number in range(50)]
    for image in items:
        (tmp_path / "masks" / "cat" / image.path.name).touch()
    listed: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or scan(path))
    MaskFinder(tmp_path / "masks", "dapt").check(items)
    assert len(listed) == len(set(listed)) <= len(items[0].path.parts)


def test_paths_are_made_absolute_once_per_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ImageNet has 1.3 million images."""
    import os

    (tmp_path / "masks" / "cat").mkdir(parents=True)
    items = [item(tmp_path / "photos" / "cat" / f"{number}.jpg", tmp_path) for number in range(50)]
    for image in items:
        (tmp_path / "masks" / "cat" / image.path.name).touch()
    asked: list[str] = []
    monkeypatch.setattr(os.path, "normpath", _noting(os.path.normpath, asked))
    finder = MaskFinder(tmp_path / "masks", "foreground")
    finder.check(items)
    assert [found for image in items for found in finder.find(image)] == [
        tmp_path / "masks" / "cat" / image.path.name for image in items
    ]
    assert 0 < len(asked) <= 4


def _noting(function, asked: list[str]):
    def noted(path):
        asked.append(str(path))
        return function(path)

    return noted


@pytest.mark.parametrize(
    ("counts", "wrong"),
    [
        (MaskCounts(), False),
        (MaskCounts(read=100, empty=94), False),
        (MaskCounts(read=100, empty=95), True),
        (MaskCounts(read=100, empty=40, full=55), True),
        (MaskCounts(read=100, empty=40, misread=55), True),
        (MaskCounts(read=2, empty=1), False),
        (MaskCounts(read=2, empty=2), True),
        (MaskCounts(read=2, misread=2), False),
        (MaskCounts(read=3, misread=3), True),
    ],
)
def test_when_the_format_must_be_wrong(counts: MaskCounts, wrong: bool) -> None:
    assert counts.wrong_format == wrong


STORED = {
    "binary": lambda path: Image.fromarray(disc()).save(path.with_suffix(".png")),
    "labels": lambda path: Image.fromarray(disc(value=7)).save(path.with_suffix(".png")),
    "trimap": lambda path: Image.fromarray(2 - disc(value=1)).save(path.with_suffix(".png")),
    "dapt": lambda path: Image.fromarray(disc(value=3)).save(path),
    "foreground": lambda path: Image.fromarray(disc()).convert("RGB").save(path, quality=75),
}
FITTING = {
    "binary": {"binary", "foreground"},
    "labels": {"labels", "dapt"},
    "trimap": {"trimap"},
    "dapt": {"labels", "dapt"},
    "foreground": {"binary", "foreground"},
}


@pytest.mark.parametrize(
    ("stored", "read"), [(stored, read) for stored in STORED for read in STORED if read not in FITTING[stored]]
)
def test_the_formats_that_would_do_are_named(tmp_path: Path, stored: str, read: str) -> None:
    items = [item(tmp_path / "photos" / f"{number}.jpg", tmp_path / "photos") for number in range(30)]
    (tmp_path / "masks").mkdir()
    for image in items:
        STORED[stored](tmp_path / "masks" / image.path.name)
    assert set(formats_that_fit(items, tmp_path / "masks", read)) == FITTING[stored]
    with pytest.raises(DataError) as caught:
        check_convention(MaskCounts(30, 20, 10), items, tmp_path / "masks", read)
    assert f"30 of 30 masks are of no use when they are read as '{read}': 20 empty, 10 full" in caught.value.what
    assert set(caught.value.todo.removesuffix(".").split("--mask-format ")[1].split(" or ")) == FITTING[stored]
    assert str(tmp_path / "masks") in caught.value.message


def test_no_format_makes_sense_of_black_masks(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    items = [item(tmp_path / "photos" / f"{number}.jpg", tmp_path / "photos") for number in range(4)]
    for image in items:
        Image.new("L", (8, 8)).save(tmp_path / "masks" / image.path.with_suffix(".png").name)
    with pytest.raises(DataError, match="No other --mask-format makes sense of them"):
        check_convention(MaskCounts(4, 4), items, tmp_path / "masks", "binary")
    with pytest.raises(DataError, match="the format this data set brings"):
        check_convention(MaskCounts(4, 4), items, None, "trimap", own_kind="trimap")


def test_masks_of_another_collection_in_the_folder_of_a_data_set(tmp_path: Path) -> None:
    """The catalog takes masks beside the images for those of the masked collection; others need --masks."""
    masks = tmp_path / "dtd" / "mask"
    items = []
    for number in range(30):
        name = f"images/class_{number % 3}/{number}.jpg"
        (masks / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(disc(value=3)).convert("RGB").save(masks / name)
        items.append(Item(tmp_path / "dtd" / name, 0, name, mask=masks / name))
    with pytest.raises(DataError) as caught:
        check_convention(MaskCounts(30, 30), items, None, "binary", own_kind="binary")
    assert f"--masks {masks} --mask-format labels or dapt." in caught.value.todo
    for image in items:
        Image.new("L", (8, 8)).save(image.mask)
    with pytest.raises(DataError, match="No other --mask-format makes sense of them") as caught:
        check_convention(MaskCounts(30, 30), items, None, "binary", own_kind="binary")
    assert f"look at the masks in {masks}" in caught.value.todo
