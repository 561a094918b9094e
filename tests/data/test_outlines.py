"""Places of objects are plain values."""

from __future__ import annotations

from dapt.data.outlines import Outline


def test_equal_by_value() -> None:
    assert Outline("box", (0, 0, 1, 1), (1, 1)) == Outline("box", (0, 0, 1, 1), (1, 1))
    assert len({Outline("box", (0, 0, 1, 1), (1, 1)), Outline("box", (0, 0, 1, 1), (2, 1))}) == 2
