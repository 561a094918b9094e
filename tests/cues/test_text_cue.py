"""What a model that is told in words is told for each image."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from dapt.errors import DataError
from segmenters import asked, noise

PHOTOS = noise((8, 8), (8, 8), (8, 8))


def _model(names: list[str], label_free: bool = False):
    return SimpleNamespace(names=names, prompts=SimpleNamespace(label_free=label_free))


def test_the_class_name_is_looked_for() -> None:
    cue, items = asked("clipseg", PHOTOS, names=("red_leaf", "cat"))
    assert cue.texts(items, None) == [("red leaf",), ("cat",), ("red leaf",)]
    cue, items = asked("clipseg", PHOTOS, template="a small {}")
    assert cue.texts(items, None)[1] == ("a small cat",)
    cue, items = asked("clipseg", PHOTOS, labels=[0, -1, 1], template="butterfly")
    assert cue.texts(items, None) == [("butterfly",)] * 3


def test_a_run_that_numbers_its_classes_anew_is_followed() -> None:
    cue, items = asked("clipseg", PHOTOS, labels=[0, 0, 0])
    assert cue.texts(items, _model(["cat"])) == [("cat",)] * 3


def test_images_without_a_class_want_a_text() -> None:
    cue, items = asked("clipseg", PHOTOS, labels=[0, -1, -1])
    with pytest.raises(DataError, match=r"look for in 1\.png: it has no class \(2 of 3 images\)") as caught:
        cue.texts(items, None)
    assert "cue.text=" in caught.value.todo
    cue, items = asked("clipseg", PHOTOS, labels=[0, -1, -1], text="a dog")
    assert cue.texts(items, None) == [("red leaf",), ("a dog",), ("a dog",)]


def test_methods_without_labels_do_not_see_them() -> None:
    cue, items = asked("clipseg", PHOTOS)
    with pytest.raises(DataError, match="the method learns without labels"):
        cue.texts(items, _model(["red leaf", "cat"], label_free=True))


def test_images_of_several_classes_are_searched_for_each() -> None:
    cue, items = asked("clipseg", PHOTOS)
    several = [replace(items[0], labels=(1, 0)), *items[1:]]
    assert cue.texts(several, None)[0] == ("cat", "red leaf")


def test_a_text_that_nothing_needs_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    cue, items = asked("clipseg", PHOTOS, text="a dog")
    cue.texts(items, None)
    cue.texts(items, None)
    assert capsys.readouterr().err.count("cue.template=a dog") == 1
