"""dapt.words=auto: which words are chosen, and which never."""

from __future__ import annotations

from typing import Any

import pytest
from backgrounds import ITEMS, image, masks

from dapt.config import DaptOptions
from dapt.errors import ConfigError
from dapt.evenly import evenly
from dapt.runs.background_words import ChosenWords, choose_words, is_taken, names_of_classes
from dapt.runs.scene_words import SCENE_WORDS
from dapt.runs.untuned_views import background_logits
from helpers import tiny_clip


def choose(stuff: dict[str, list[str]], classes: list[str], count: int, given: Any = None) -> ChosenWords:
    options = DaptOptions(enabled=True, variant="joint", words="auto", word_count=count)
    return choose_words(options, tiny_clip(), ITEMS, masks() if given is None else given, stuff, classes, image)


def best(given: list[Any], words: list[str]) -> list[str]:
    """Words by their mean probability, the plain way."""
    texts = [f"a clean origami {word}." for word in words]
    shown = [number for number, mask in enumerate(given) if mask is not None] or list(range(len(ITEMS)))
    rows = background_logits(
        tiny_clip(), [ITEMS[number] for number in shown], [given[number] for number in shown], texts, image
    ).softmax(dim=1)
    mean = rows.mean(dim=0)
    return sorted(words, key=lambda word: -float(mean[words.index(word)]))


def test_the_most_frequent_names_of_the_cue_come_first() -> None:
    stuff = {"0": ["grass-merged", "sky"], "1": ["sky-other-merged", "sky"], "2": ["dirt", "sky"], "3": ["dirt"]}
    assert choose(stuff, [], 2).words == ["sky", "dirt"]
    found = choose(stuff, [], 3)
    assert (found.words, found.from_cue) == (["sky", "dirt", "grass"], 3)
    assert found.summary() == "dapt.words=auto: 3 background words (3 are the cue's own): sky, dirt, grass"
    more = choose(stuff, [], 5)
    assert more.from_cue == 3
    assert more.words[:3] == found.words
    assert len(set(more.words)) == 5
    assert set(more.words[3:]) < set(SCENE_WORDS)


def test_else_those_that_fit_the_backgrounds_best() -> None:
    found = choose({}, [], 6)
    assert found.words == best(masks(), list(SCENE_WORDS))[:6]
    assert (found.from_cue, found.looked_at) == (0, 4)
    assert f"6 of {len(SCENE_WORDS)} fit 4 training images best" in found.summary()
    whole = choose({}, [], 6, [None] * 5)
    assert whole.looked_at == 5
    assert whole.words == best([None] * 5, list(SCENE_WORDS))[:6]


def test_never_a_class_of_the_data() -> None:
    first = choose({"0": ["moss"]}, [], 4).words
    classes = [f"{first[1]}_or_{first[2]}", "Moss", first[3]]
    found = choose({"0": ["moss"]}, classes, 4)
    assert not set(found.words) & set(first)
    assert found.from_cue == 0


def test_names_of_classes() -> None:
    taken = names_of_classes(["Sea_or_Lake", "water lily", "bush, shrub", "Highway (road)"])
    assert {"sea or lake", "sea", "lake", "water lily", "bush", "shrub", "highway", "road"} <= taken
    assert "water" not in taken
    assert "" not in taken
    for word, known in (("lake", True), ("lakes", True), ("bushes", True), ("water", False), ("roads", True)):
        assert is_taken(word, taken) == known, word


def test_more_words_than_there_are() -> None:
    with pytest.raises(ConfigError, match=f"asked for 500 words, and there are {len(SCENE_WORDS)}"):
        choose({}, [], 500)


def test_a_sample_is_spread_evenly() -> None:
    assert evenly(range(7), 10) == list(range(7))
    assert evenly(range(100, 110), 5) == [100, 102, 104, 106, 108]
    assert len(evenly(range(9999), 5000)) == 5000
