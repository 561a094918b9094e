"""The words for images without classes."""

from __future__ import annotations

from dapt.config import BACKGROUND_WORDS
from dapt.cues.common_things import COMMON_THINGS


def test_things_are_said_once_and_are_no_backgrounds() -> None:
    assert len(set(COMMON_THINGS)) == len(COMMON_THINGS) == 53
    assert set(COMMON_THINGS) & set(BACKGROUND_WORDS) == set()
