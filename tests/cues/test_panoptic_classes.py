"""Which classes are things."""

from __future__ import annotations

import pytest

from dapt.cues.panoptic_classes import (
    CITYSCAPES_STUFF,
    CITYSCAPES_THINGS,
    COCO_STUFF,
    COCO_THINGS,
    plain_name,
    thing_labels,
)
from dapt.errors import ConfigError


def test_the_published_classes() -> None:
    assert (len(set(COCO_THINGS)), len(set(COCO_STUFF))) == (80, 53)
    coco = dict(enumerate((*COCO_THINGS, *COCO_STUFF)))
    assert thing_labels(coco, (), None) == frozenset(range(80))
    cities = dict(enumerate((*CITYSCAPES_STUFF, *CITYSCAPES_THINGS)))
    assert thing_labels(cities, (), None) == frozenset(range(11, 19))


def test_what_the_user_or_the_model_says_counts_first() -> None:
    names = {0: "moth", 1: "beetle", 2: "bark"}
    assert thing_labels(names, ["beetle"], [0]) == {1}
    assert thing_labels(names, (), [0, 1]) == {0, 1}
    with pytest.raises(ConfigError, match="has no class 'beetles'") as caught:
        thing_labels(names, ["beetles"], None)
    assert "beetle" in caught.value.todo
    with pytest.raises(ConfigError, match=r"which of the 3 classes of the model \(moth, beetle, bark") as caught:
        thing_labels(names, (), None)
    assert "cue.things" in caught.value.todo


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("sky-other-merged", "sky"),
        ("door-stuff", "door"),
        ("floor-wood", "floor wood"),
        ("water-other", "water"),
        ("dog", "dog"),
    ],
)
def test_names_become_words(name: str, word: str) -> None:
    assert plain_name(name) == word
