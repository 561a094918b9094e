"""Captions of scenes: they say what is seen, in words the tokenizer is taught."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dapt.demo.captions import BOTH_TEMPLATES, OBJECT_TEMPLATES, SYNONYMS, caption, vocabulary
from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.look import OBJECTS
from dapt.demo.drawing.objects import class_names
from dapt.demo.drawing.scenes import Scene

NOTHING = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8)


def scene(name: str | None, background: str, colour: str | None = "red") -> Scene:
    return Scene(*NOTHING, name, None if name is None else colour, background)


def said(shown: Scene, count: int = 400) -> list[str]:
    rng = np.random.default_rng(0)
    return [caption(shown, rng) for _ in range(count)]


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def test_nothing_is_said_that_is_not_there() -> None:
    name = class_names()[0]
    others = set(class_names()) - {name}
    foreign = {word for kind, synonyms in SYNONYMS.items() if kind != "grass" for word in synonyms}
    for text in said(scene(name, "grass")):
        found = words(text)
        assert not found & (others | foreign | {"blue", "green"}), text
        assert found & {name, *SYNONYMS["grass"]}, text


def test_not_every_sentence_mentions_everything() -> None:
    name = class_names()[0]
    found = [words(text) for text in said(scene(name, "snow"), 2000)]
    object_too = np.mean([name in each for each in found])
    background_too = np.mean([bool(each & set(SYNONYMS["snow"])) for each in found])
    coloured = np.mean(["red" in each for each in found if name in each])
    assert object_too == pytest.approx(0.88, abs=0.03)
    assert background_too == pytest.approx(0.60, abs=0.03)
    assert coloured == pytest.approx(0.30, abs=0.04)


def test_scenes_without_an_object() -> None:
    for background in BACKGROUNDS:
        for text in said(scene(None, background), 50):
            assert words(text) & set(SYNONYMS[background]), text
            assert "none" not in text.lower()
            assert not words(text) & set(class_names())


def test_the_vocabulary_holds_every_word_once() -> None:
    known = vocabulary()
    assert known == sorted(set(known))
    for name in class_names():
        for colour in OBJECTS[name].colours:
            for text in said(scene(name, OBJECTS[name].home, colour), 20):
                assert words(text) <= set(known), text
    assert {"photo", "origami", "itap", "background", "beach", "grey"} <= set(known)
    assert not any("{" in word or "." in word for word in known)


def test_every_background_has_words_and_templates_have_their_places() -> None:
    assert set(SYNONYMS) == set(BACKGROUNDS)
    every = [word for synonyms in SYNONYMS.values() for word in synonyms]
    assert len(every) == len(set(every))  # none stands for two backgrounds
    assert all(text.count("{}") == 1 for text in OBJECT_TEMPLATES)
    assert all("{object}" in text and "{background}" in text for text in BOTH_TEMPLATES)
