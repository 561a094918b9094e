"""The list of words for backgrounds."""

from __future__ import annotations

from dapt.config import BACKGROUND_WORDS
from dapt.runs.background_labels import plain_name
from dapt.runs.scene_words import SCENE_WORDS


def test_the_list() -> None:
    assert 150 <= len(SCENE_WORDS) <= 200
    assert len(set(SCENE_WORDS)) == len(SCENE_WORDS)
    assert set(BACKGROUND_WORDS) < set(SCENE_WORDS)
    assert all(plain_name(word) == word for word in SCENE_WORDS)
    assert not any("_" in word for word in SCENE_WORDS)
