"""Places of objects in COCO annotations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapt.data.outlines import UNTOLD, Outline
from dapt.data.read.exports.coco_outlines import outlines_of, unpacked


def packed(lengths: list[int]) -> str:
    """COCO's text form of run lengths, written after its description."""
    text = ""
    for place, length in enumerate(lengths):
        rest = length - lengths[place - 2] if place > 2 else length
        while True:
            bits, rest = rest & 0x1F, rest >> 5
            done = (rest == 0 and not bits & 0x10) or (rest == -1 and bool(bits & 0x10))
            text += chr(48 + bits + (0 if done else 0x20))
            if done:
                break
    return text


@given(st.lists(st.integers(0, 10**6), max_size=30))
def test_packed_run_lengths(lengths: list[int]) -> None:
    assert unpacked(packed(lengths)) == lengths


def test_what_counts() -> None:
    assert outlines_of({"bbox": [1, 2, 3, 4]}, (10, 20)) == [Outline("box", (1, 2, 4, 6), (10, 20))]
    assert outlines_of({"bbox": [1, 2, 3, 4]}, UNTOLD) == [Outline("box", (1, 2, 4, 6), UNTOLD)]
    polygon = {"segmentation": [[0, 0, 5, 0, 5, 5], [1, 1, 2]], "bbox": [1, 2, 3, 4]}
    assert outlines_of(polygon, (10, 20)) == [Outline("polygon", (0, 0, 5, 0, 5, 5), (10, 20))]
    runs = np.array([3, 4, 5]).tolist()
    assert outlines_of({"segmentation": {"counts": runs, "size": [4, 3]}}, UNTOLD) == [
        Outline("runs", (3, 4, 5), (3, 4))
    ]
    assert outlines_of({"segmentation": {"counts": packed(runs), "size": [4, 3]}}, UNTOLD)[0].values == (3, 4, 5)
    assert outlines_of({"segmentation": []}, (10, 20)) == []


@pytest.mark.parametrize(
    "annotation",
    [
        {"segmentation": {"size": [4, 3]}},
        {"segmentation": {"size": [4], "counts": [12]}},
        {"segmentation": {"size": [4, 3], "counts": ["a"]}},
        {"segmentation": {"size": [4, 3], "counts": [-1, 13]}},
        {"segmentation": {"size": [4, 3], "counts": [10**30]}},
        {"segmentation": {"size": [4, 3], "counts": "~~~"}},
        {"segmentation": {"size": [4, 3], "counts": "o" * 100}},
        {"segmentation": [["0", "0", "5", "0", "5", "5"]]},
        {"segmentation": [0, 0, 5, 0, 5, 5]},
        {"segmentation": [[0, 0, 5, 0, 5, float("nan")]]},
        {"bbox": ["a", 0, 1, 1]},
        {"bbox": [0, 0, 1]},
        {"bbox": [0, 0, 1, 10**30]},
        {"bbox": [0, 0, 1, 10**400]},
        {"bbox": [0, 0, 1, float("inf")]},
        {"bbox": [True, 0, 1, 1]},
    ],
)
def test_damage(annotation: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, OverflowError)):
        outlines_of(annotation, (10, 20))
