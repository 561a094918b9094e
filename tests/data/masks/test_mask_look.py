"""Telling masks from photographs by few pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.masks.mask_look import look_like_masks
from helpers import SHARED, needs_shared


def test_masks_and_photographs(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    disc = np.hypot(*np.mgrid[-40:40, -40:40]) < 25
    Image.fromarray((disc * 255).astype(np.uint8)).save(tmp_path / "binary.jpg", quality=60)
    Image.fromarray(disc.astype(np.uint8)).save(tmp_path / "labels.png")
    Image.fromarray(np.where(disc[..., None], (200, 30, 90), 0).astype(np.uint8)).save(tmp_path / "colour.png")
    Image.fromarray((disc * 65535).astype(np.uint16)).save(tmp_path / "sixteen.png")
    Image.fromarray(chance.integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(tmp_path / "photo.jpg")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    for name in ("binary.jpg", "labels.png", "colour.png", "sixteen.png"):
        assert look_like_masks([tmp_path / name]), name
    assert not look_like_masks([tmp_path / "photo.jpg"])
    assert not look_like_masks([tmp_path / "broken.png"])
    assert not look_like_masks([])
    assert look_like_masks([tmp_path / name for name in ("binary.jpg", "labels.png", "broken.png")])


@needs_shared
@pytest.mark.parametrize("name", ["leeds_butterfly", "ecssd"])
def test_real_photographs_and_their_masks(name: str) -> None:
    folder = SHARED / "data" / name
    photos = sorted(path for path in folder.rglob("*.jpg") if "mask" not in str(path.relative_to(folder)).lower())
    assert photos
    for start in range(0, 40, 8):
        assert not look_like_masks(photos[start : start + 8])
    masks = sorted(path for path in folder.rglob("*.png") if "mask" in str(path.relative_to(folder)).lower())
    assert masks
    assert look_like_masks(masks)
