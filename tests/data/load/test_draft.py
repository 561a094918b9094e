"""JPEGs at less than their size: only where it is asked for, and never below twice what the model sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.clip.frozen import Preprocess
from dapt.config import make_config
from dapt.data.items import Item
from dapt.data.load import draft
from dapt.data.load.images import image_tensor
from dapt.data.load.loader import EvalImages
from dapt.data.load.preprocess import ImagePreprocess
from dapt.data.load.settings import use_settings
from dapt.data.load.transforms import eval_transform

PREPROCESS = Preprocess((0.5, 0.5, 0.5), (0.25, 0.25, 0.25), "bicubic", "shortest")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    draft.use_option(None)


def photo(path: Path, width: int, height: int, **how: object) -> Path:
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(columns / step) * np.cos(rows / (step + 3)) for step in (9, 17, 40)]
    Image.fromarray((128 + 100 * np.stack(waves, axis=2)).astype(np.uint8)).save(path, **how)
    return path


def test_an_option_goes_before_the_setting() -> None:
    assert draft.draft_side((32, 48)) is None
    use_settings(make_config({"data": "-", "draft": True}))
    assert draft.draft_side((32, 48)) == 96
    draft.use_option(False)
    use_settings(make_config({"data": "-", "draft": True}))
    assert not draft.drafting()
    draft.use_option(None)
    assert not draft.drafting(), "a command begins"


@pytest.mark.parametrize(
    ("size", "side", "found"),
    [
        ((800, 600), 64, (75, 100)),  # an eighth
        ((800, 600), 76, (150, 200)),  # an eighth would have 75 rows
        ((800, 600), 300, (300, 400)),
        ((800, 600), 301, (600, 800)),
        ((800, 600), None, (600, 800)),
        ((803, 601), 64, (76, 101)),
    ],
)
def test_as_much_is_decoded_as_is_needed(
    tmp_path: Path, size: tuple[int, int], side: int | None, found: tuple[int, int]
) -> None:
    path = photo(tmp_path / "photo.jpg", *size, quality=90)
    assert image_tensor(path, side=side).shape[1:] == found


def test_other_kinds_are_decoded_whole(tmp_path: Path) -> None:
    assert image_tensor(photo(tmp_path / "photo.png", 400, 300), side=32).shape[1:] == (300, 400)
    progressive = photo(tmp_path / "photo.jpg", 400, 300, progressive=True)
    assert image_tensor(progressive, side=32).shape[1:] == (38, 50)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    assert image_tensor(photo(tmp_path / "turned.jpg", 400, 300, exif=exif), side=60).shape[1:] == (100, 75)


def test_test_images_are_nearly_the_same(tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.jpg", 800, 600, quality=95)
    transform = eval_transform((64, 64), PREPROCESS)
    whole, _ = EvalImages([Item(path, 0, "photo")], transform)[0]
    less, _ = EvalImages([Item(path, 0, "photo")], transform, side=128)[0]
    assert not torch.equal(whole, less)
    assert float((whole - less).abs().mean()) < 0.02
    preprocess = ImagePreprocess((64, 64), PREPROCESS)
    assert torch.equal(preprocess(path), whole)
    draft.use_setting(True)
    assert torch.equal(preprocess(path), less)
