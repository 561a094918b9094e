"""Mask pictures of an import."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dapt.data.items import Item
from dapt.data.mask_imports.base import Wanted
from dapt.data.mask_imports.match_pictures import Job
from dapt.data.mask_imports.read_pictures import check_sample, read_pictures
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError
from mask_exports import make_photos, png


def job(folder: Path, *pixels: np.ndarray, rules: MaskRules | None = None, wanted: Wanted | None = None) -> Job:
    """A photograph of 40 x 30 with mask pictures."""
    make_photos(folder, {"1.jpg": 0})
    for number, values in enumerate(pixels):
        png(folder / f"m{number}.png", values)
    files = [folder / f"m{number}.png" for number in range(len(pixels))]
    return Job(Item(folder / "1.jpg", 0, "1.jpg"), [], files, rules or MaskRules(), wanted)


def blank() -> np.ndarray:
    """A picture of zeros."""
    return np.zeros((30, 40), np.uint8)


def test_the_union_in_the_size_of_the_photo(tmp_path: Path) -> None:
    one, two = blank(), np.zeros((60, 80), np.uint8)
    one[:5], two[50:] = 255, 255
    found = read_pictures(job(tmp_path, one, two))
    assert found.shape == (30, 40)
    assert found[:5].all()
    assert found[25:].all()
    assert found.sum() == 10 * 40
    with pytest.raises(DataError, match="does not have the shape"):
        read_pictures(job(tmp_path / "b", np.zeros((30, 30), np.uint8)))


def test_some_numbers_and_some_colours(tmp_path: Path) -> None:
    values = blank()
    values[0], values[1], values[2] = 1, 2, 255
    found = read_pictures(job(tmp_path / "a", values, rules=MaskRules("labels"), wanted=Wanted(frozenset({2}))))
    assert found[1].all()
    assert found.sum() == 40
    colours = np.zeros((30, 40, 3), np.uint8)
    colours[0], colours[1] = (128, 0, 0), (224, 224, 192)
    wanted = Wanted(colours=frozenset({0x800000}))
    found = read_pictures(job(tmp_path / "b", colours, rules=MaskRules("colours"), wanted=wanted))
    assert found[0].all()
    assert found.sum() == 40
    (tmp_path / "b" / "m0.png").write_bytes(b"none")
    broken = Job(
        Item(tmp_path / "b" / "1.jpg", 0, "1.jpg"), [], [tmp_path / "b" / "m0.png"], MaskRules("colours"), wanted
    )
    with pytest.raises(DataError, match="cannot be read"):
        read_pictures(broken)


def test_a_sample_tells_a_wrong_format(tmp_path: Path) -> None:
    values = blank()
    values[:10] = 3
    jobs = [job(tmp_path / str(number), values) for number in range(4)]
    with pytest.raises(
        DataError, match=r"read as 'binary': of 4 .* 4 are empty and 0 are full.*\n.*--mask-format labels"
    ):
        check_sample(jobs)
    good = blank()
    good[:10] = 255
    check_sample([job(tmp_path / "good", good), *jobs[:1]])
    with pytest.raises(DataError, match="Look at the masks"):
        check_sample([job(tmp_path / f"e{number}", blank()) for number in range(4)])


def test_one_mask_of_no_use_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="read as 'binary': the only one is empty"):
        check_sample([job(tmp_path / "a", blank())])
    full = blank() + np.uint8(255)
    with pytest.raises(DataError, match="read as 'binary': the only one is full"):
        check_sample([job(tmp_path / "b", full)])
