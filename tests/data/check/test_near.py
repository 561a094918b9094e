"""Near copies are found, and pictures that only have little in them are not taken for such."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from checked_data import image_set, scene
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from dapt.data.check import near as module
from dapt.data.check.finding import used_images
from dapt.data.check.look import look_at
from dapt.data.check.near import near_findings, near_groups
from helpers import SHARED, needs_shared


def test_resized_recompressed_grey_brighter_and_mirrored_copies(tmp_path: Path) -> None:
    first = scene(1, (300, 200))
    first.save(tmp_path / "0.png")
    first.resize((100, 70)).save(tmp_path / "1.png")
    first.save(tmp_path / "2.jpg", quality=20)
    first.convert("L").save(tmp_path / "3.png")
    ImageEnhance.Contrast(first).enhance(0.7).save(tmp_path / "4.jpg")
    ImageOps.mirror(first).save(tmp_path / "5.jpg")
    for number in range(6, 40):
        scene(number, (300, 200)).save(tmp_path / f"{number}.jpg")
    looks = [look_at(path) for path in sorted(tmp_path.iterdir(), key=lambda path: int(path.stem))]
    assert near_groups(looks) == [(0, 1, 2, 3, 4, 5)]


def test_flat_and_nearly_empty_pictures_are_no_copies(tmp_path: Path) -> None:
    for number in range(12):
        Image.new("RGB", (80, 60), (number, number, 20 * number)).save(tmp_path / f"flat{number}.jpg")
        picture = Image.new("RGB", (80, 60), "white")
        left, top = 6 * number, 4 * number
        ImageDraw.Draw(picture).rectangle((left, top, left + 8, top + 8), fill="black")
        picture.save(tmp_path / f"spot{number}.png")
    assert near_groups([look_at(path) for path in sorted(tmp_path.iterdir())]) == []


def test_few_or_unreadable_pictures(tmp_path: Path) -> None:
    assert near_groups([]) == []
    scene(1).save(tmp_path / "a.png")
    look = look_at(tmp_path / "a.png")
    assert near_groups([look, look_at(tmp_path / "gone.png")]) == []
    assert near_groups([look, look_at(tmp_path / "gone.png"), look]) == [(0, 2)]


def test_groups_over_the_borders_of_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number in range(5):
        scene(number).save(tmp_path / f"{number}.png")
    looks = [look_at(tmp_path / f"{number % 5}.png") for number in range(23)]
    expected = [tuple(range(start, 23, 5)) for start in range(5)]
    for rows in (1, 3, 64):
        monkeypatch.setattr(module, "ROWS", rows)
        assert near_groups(looks) == expected


def test_bits_are_counted() -> None:
    words = np.array([[0, 1], [2**64 - 1, 2**63 + 5]], np.uint64)
    assert module._bits(words).tolist() == [[0, 1], [64, 3]]


def test_findings_by_where_the_copies_are(tmp_path: Path) -> None:
    data = image_set(tmp_path, train=[("a", 0), ("b", 0), ("c", 0), ("d", 1)], test=[("e", 0), ("f", 1)])
    images = used_images(data)
    found = {one.kind: (one.severity, one.groups) for one in near_findings(images, [(0, 1)], official=False)}
    assert found == {"near_copies": ("note", (("a", "b"),))}
    found = {one.kind: (one.severity, one.groups) for one in near_findings(images, [(2, 4), (3, 0)], official=False)}
    assert found == {"near_splits": ("warning", (("c", "e"),)), "near_classes": ("warning", (("d", "a"),))}
    assert {one.severity for one in near_findings(images, [(2, 5)], official=True)} == {"note"}


@needs_shared
def test_photographs_that_differ_are_told_apart() -> None:
    """Of photographs of butterflies on leaves, no two look the same; see docs/data.md."""
    files = sorted((SHARED / "data" / "leeds_butterfly" / "images").iterdir())[::3]
    assert len(files) > 200
    assert near_groups([look_at(path) for path in files]) == []
