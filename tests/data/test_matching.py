"""Classes of other data are the trained ones, whatever way they are spelled; never another, and never silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import ImageSet, Item
from dapt.data.matching import match_classes, matched_images, name_key
from dapt.errors import DataError


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cat", "cat"),
        ("tree_frog", "Tree Frog"),
        (" tree  frog ", "tree_frog"),
        ("caf\u00e9", "cafe\u0301"),
        ("STRASSE", "stra\u00dfe"),
        ("\u00c9TOILE", "e\u0301toile"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("cat", "cats"), ("tree-frog", "tree frog"), ("a1", "a2"), ("e", "\u00e9")])
def test_names_that_are_two(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_the_same_name_else_a_spelling_of_it() -> None:
    found = match_classes(["Dog", "ufo", "cat", "Cow_"], ["cat", "Cat", "dog", "cow"])
    assert found.label_of == {0: 2, 2: 0, 3: 3}
    assert found.unknown == (1,)
    assert found.otherwise == (("Dog", "dog"), ("Cow_", "cow"))


def test_equal_lists_match_by_place_also_where_names_are_shared() -> None:
    found = match_classes(["crane", "ship", "crane"], ["crane", "ship", "crane"])
    assert found.label_of == {0: 0, 1: 1, 2: 2}
    assert found.otherwise == ()


def test_what_could_be_several_is_refused_with_the_way_out() -> None:
    with pytest.raises(DataError, match=r"'CAT' of zoo could be any of 2 trained classes: 'cat' and 'Cat'[\s\S]*data"):
        match_classes(["CAT"], ["cat", "Cat"], "zoo")
    with pytest.raises(DataError, match=r"'crane' of zoo could be any of 2"):
        match_classes(["crane"], ["crane", "ship", "crane"], "zoo")
    with pytest.raises(
        DataError, match=r"'cat' and 'Cat' of zoo are both the trained class 'cat'[\s\S]*--classes data"
    ):
        match_classes(["cat", "Cat"], ["cat", "dog"], "zoo")


def item(label: int, *labels: int) -> Item:
    return Item(Path(f"{label}.png"), label, f"{label}.png", labels=labels)


def test_images_are_numbered_as_the_model_counts() -> None:
    data = ImageSet("zoo", Path(), ("ufo", "dog"))
    found = matched_images(data, [item(0), item(1)], {1: 5}, ["a"] * 6)
    assert [one.label for one in found.items] == list(found.labels) == [5]
    assert found.items[0].labels == ()
    assert len(found.names) == 6


def test_images_of_several_classes_show_the_matched_ones() -> None:
    data = ImageSet("zoo", Path(), ("ufo", "dog", "cat"), multi_label=True)
    found = matched_images(data, [item(0, 0, 1, 2), item(0, 0), item(2, 2)], {1: 1, 2: 0}, ["cat", "dog"])
    assert [one.labels for one in found.items] == [(1, 0), (0,)]
    assert found.labels == (1, 0)
