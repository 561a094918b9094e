"""Pictures and masks of 16 bits are scaled by 257, so that 65535 is 255, and thresholds are met exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.data.items import Item
from dapt.data.load.check_images import check_images
from dapt.data.load.images import RefusedImageError, open_image
from dapt.data.load.resize import resize_map
from dapt.data.masks.mask_files import fit_mask, foreground_of, misread, read_mask, read_values, same_shape
from dapt.errors import DataError

MODES = ["I;16", "I;16B", "I"]


def deep(path: Path, mode: str, values: list[list[int]]) -> Path:
    kind = {"I;16": "<u2", "I;16B": ">u2", "I": "<i4"}[mode]
    array = np.array(values).astype(kind)
    image = Image.frombytes(mode, (array.shape[1], array.shape[0]), array.tobytes())
    assert image.mode == mode
    image.save(path)
    return path


@pytest.mark.parametrize("mode", MODES)
def test_deep_masks_by_brightness(tmp_path: Path, mode: str) -> None:
    """128 * 257 is the first that counts; 128 * 256 is not."""
    path = deep(tmp_path / "m.tif", mode, [[0, 128 * 256, 128 * 257 - 1, 128 * 257, 65535]])
    assert read_values(path, "binary").tolist() == [[0, 127, 127, 128, 255]]
    assert read_mask(path, "binary").tolist() == [[False, False, False, True, True]]


@pytest.mark.parametrize("mode", MODES)
def test_deep_masks_by_mean_colour(tmp_path: Path, mode: str) -> None:
    """Above one half of 65535: 32767 is below, 32768 above. Divided by 256 both, and 32700, would be."""
    path = deep(tmp_path / "m.tif", mode, [[0, 32700, 32767, 32768, 65535]])
    assert read_mask(path, "foreground").tolist() == [[False, False, False, True, True]]
    assert float(read_values(path, "foreground").max()) == 255.0


def test_deep_label_maps_keep_their_numbers(tmp_path: Path) -> None:
    path = deep(tmp_path / "m.tif", "I;16", [[0, 1, 255, 256, 700]])
    assert read_mask(path, "labels").tolist() == [[False, True, False, True, True]]
    assert read_mask(path, "trimap").tolist() == [[False, True, False, False, False]]


@pytest.mark.parametrize("mode", MODES)
def test_deep_photographs(tmp_path: Path, mode: str) -> None:
    path = deep(tmp_path / "p.tif", mode, [[0, 256, 257, 100 * 256, 100 * 257, 65535]])
    image = open_image(path)
    assert image.mode == "RGB"
    assert np.array(image)[0].tolist() == [[value] * 3 for value in (0, 0, 1, 99, 100, 255)]


@pytest.mark.parametrize("values", [[-5, 70], [0, 70000]])
def test_numbers_without_a_known_range_are_refused(tmp_path: Path, values: list[int]) -> None:
    path = deep(tmp_path / "p.tif", "I", [values])
    with pytest.raises(RefusedImageError, match=rf"whole numbers from {values[0]} to {values[1]}, whose black"):
        open_image(path)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("binary", [126, 127, 128, 129, 255], [0, 0, 1, 1, 1]),
        ("foreground", [127.0, 127.5, 127.6, 128.0, 255.0], [0, 0, 1, 1, 1]),
        ("labels", [0, 1, 127, 254, 255], [0, 1, 1, 1, 0]),
        ("dapt", [0, 1, 127, 254, 255], [0, 1, 1, 1, 0]),
        ("trimap", [0, 1, 2, 3, 255], [0, 1, 0, 0, 0]),
    ],
)
def test_where_each_format_draws_its_line(kind, values: list[float], expected: list[int]) -> None:
    assert foreground_of(np.array([values]), kind).int().tolist() == [expected]


@pytest.mark.parametrize(
    ("kind", "values", "wrong"),
    [
        ("labels", [255, 255, 1], True),
        ("labels", [255, 1, 1], False),
        ("labels", [255, 1], False),  # as many of each
        ("labels", [250, 255, 0], True),  # 250 counts on both sides
        ("labels", [249, 255, 0], False),
        ("dapt", [255, 255, 1], True),
        ("labels", [255, 256], False),
        ("labels", [256, 256, 256], False),  # a label map of many numbers
        ("trimap", [4, 4, 1], True),
        ("trimap", [3, 3, 1], False),
        ("trimap", [4, 1], False),
        ("binary", [255, 255, 1], False),
        ("foreground", [255.0, 255.0, 1.0], False),
    ],
)
def test_what_speaks_against_a_format(kind, values: list[float], wrong: bool) -> None:
    given = np.array([values])
    assert misread(given, foreground_of(given, kind), kind) is wrong


@pytest.mark.parametrize(
    ("mask", "image", "fits"),
    [
        ((100, 100), (100, 102), True),
        ((100, 100), (100, 97), False),
        ((1000, 1019), (50, 50), True),
        ((1000, 1021), (50, 50), False),
        ((1000, 981), (50, 50), True),
        ((1000, 979), (50, 50), False),
        ((100, 103), (50, 50), False),
        ((103, 100), (50, 50), False),
        ((50, 100), (100, 50), False),
        ((512, 683), (480, 640), True),
    ],
)
def test_two_percent_of_the_aspect(tmp_path: Path, mask: tuple[int, int], image: tuple[int, int], fits: bool) -> None:
    assert same_shape(mask, image) is fits
    given = torch.ones(mask, dtype=torch.bool)
    if fits:
        found = fit_mask(given, image, tmp_path / "m", tmp_path / "i")
        assert found.shape == image
        assert found.dtype == torch.bool
        assert found.all()
    else:
        with pytest.raises(DataError, match="does not have the shape"):
            fit_mask(given, image, tmp_path / "m", tmp_path / "i")


def test_maps_are_resized_by_kind() -> None:
    given = torch.tensor([[0.0, 1.0]])
    assert resize_map(given, (1, 2), soft=True) is not None
    assert resize_map(given, (1, 4), soft=False).tolist() == [[0.0, 0.0, 1.0, 1.0]]
    assert resize_map(given, (1, 4), soft=True).tolist() == [[0.0, 0.25, 0.75, 1.0]]
    assert resize_map(given > 0, (2, 2), soft=False).tolist() == [[0.0, 1.0], [0.0, 1.0]]


@pytest.mark.parametrize(("broken", "more"), [(1, ""), (2, " 1 more such files."), (3, " 2 more such files.")])
def test_damaged_pictures_are_counted(tmp_path: Path, capsys, broken: int, more: str) -> None:
    items = []
    for number in range(4):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (4, 4)).save(path)
        if number < broken:
            path.write_bytes(b"no picture")
        items.append(Item(path, 0, path.name))
    with pytest.raises(DataError) as caught:
        check_images(items, skip_bad=False, label="")
    assert caught.value.what.startswith(f"{items[0].path} is damaged")
    assert caught.value.what.endswith(more or ").")
    found = check_images(items, skip_bad=True, label="")
    assert found.good == tuple(items[broken:])
    assert len(found.bad) == broken
    assert f"{broken} damaged or missing image{' is' if broken == 1 else 's are'} left out" in " ".join(
        capsys.readouterr().err.split()
    )
