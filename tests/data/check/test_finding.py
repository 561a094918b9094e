"""Findings as plain values, and the words that counts and names are told in."""

from __future__ import annotations

import json
from pathlib import Path

from checked_data import image_set

from dapt.data.check.finding import Finding, class_of, count, grouped, used_images
from dapt.data.items import Item
from dapt.wording import some


def test_an_image_of_two_splits_is_used_twice() -> None:
    data = image_set(Path("/d"), train=[("a.png", 0)], val=[("b.png", 1)], test=[("b.png", 1)])
    assert [(item.name, split) for item, split in used_images(data)] == [
        ("a.png", "train"),
        ("b.png", "val"),
        ("b.png", "test"),
    ]


def test_groups_name_everything_once_in_order() -> None:
    found = grouped("leak", "error", "What.", "Todo.", [["a", "b"], ["b", "c"]])
    assert found.names == ("a", "b", "c")
    assert found.groups == (("a", "b"), ("b", "c"))
    tree = json.loads(json.dumps(found.as_json()))
    assert tree["groups"] == [["a", "b"], ["b", "c"]]
    assert tree["severity"] == "error"


def test_words() -> None:
    assert count(1, "image") == "1 image"
    assert count(2000, "image") == "2,000 images"
    assert count(2, "class", "classes") == "2 classes"
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d"]) == "a, b, c and 1 more"


def test_classes_in_words() -> None:
    names = ("cat", "dog")
    assert class_of(Item(Path("x"), 1, "x"), names) == "'dog'"
    assert class_of(Item(Path("x"), 0, "x", labels=(0, 1)), names) == "'cat' and 'dog'"
    assert class_of(Item(Path("x"), -1, "x"), names) == "no class"


def test_findings_are_values() -> None:
    assert Finding("a", "note", "b") == Finding("a", "note", "b", "", (), ())
