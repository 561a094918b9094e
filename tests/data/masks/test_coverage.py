"""Masks that can be used one by one and look wrong all together."""

from __future__ import annotations

import pytest
import torch

from dapt.data.masks.coverage import ClassMasks, doubts, is_framed, is_plausible


@pytest.mark.parametrize(
    ("shares", "expected"),
    [([], False), ([0.0], False), ([0.5, 0.0], True), ([0.01, 0.01, 0.3], False), ([0.95], False), ([0.02, 0.9], True)],
)
def test_shares_of_objects(shares: list[float], expected: bool) -> None:
    assert is_plausible(shares) is expected


def test_nothing_to_say_of_good_masks() -> None:
    assert doubts({"cat": ClassMasks([0.2, 0.3], empty=1, missing=4), "dog": ClassMasks([0.01, 0.5])}) == []
    assert doubts({"cat": ClassMasks([0.001, 0.001])}) == [], "two are too few to tell"
    assert doubts({}) == []


def test_nearly_all_small_or_large() -> None:
    assert "10 of 11 masks cover less than 2%" in doubts({"cat": ClassMasks([0.01] * 10 + [0.3])})[0]
    (said,) = doubts({"cat": ClassMasks([0.95] * 5), "dog": ClassMasks([0.93] * 5, framed=5)})
    assert "10 of 10 masks cover more than 90%" in said
    assert "--mask-format colours --mask-background white" in said
    (said,) = doubts({"cat": ClassMasks([0.8] * 5, framed=5)})
    assert "5 of 5 masks cover all around the middle" in said


def test_a_class_without_a_usable_mask() -> None:
    found = doubts({"cat": ClassMasks([0.2] * 4), "dog": ClassMasks(empty=3, missing=1), "owl": ClassMasks(full=2)})
    assert found == [
        "No mask of the class 'dog' is usable (3 empty, 1 without a file), unlike those of other classes.",
        "No mask of the class 'owl' is usable (2 full), unlike those of other classes.",
    ]
    assert doubts({"cat": ClassMasks(empty=3), "dog": ClassMasks(empty=3)}) == [], "the format is refused elsewhere"


def test_framed() -> None:
    mask = torch.ones(10, 12, dtype=torch.bool)
    mask[3:7, 3:8] = False
    assert is_framed(mask)
    assert not is_framed(~mask)
    mask[:, 0] = False
    mask[0] = False
    assert not is_framed(mask)
