"""When a cell is several classes, and when it is one name with a mark in it."""

from __future__ import annotations

import pytest

from dapt.data.read.several_labels import examples, find_mark, is_sure, parts_of, undivided
from dapt.data.read.table import LIST_MARK


@pytest.mark.parametrize(
    ("cells", "column", "mark"),
    [
        (["cat", "dog", "cat|dog"], "classname", "|"),
        (["cat", "dog", "cat,dog"], "classname", ","),
        (["cat", "dog", "dog; cat"], "classname", ";"),
        (["cat|bird", "dog|bird"], "classname", "|"),  # bird occurs in both
        (["cat,bird", "dog,bird"], "labels", None),  # as Portland, OR
        (["cat,bird", "dog,bird", "bird"], "labels", ","),
        (["Portland, OR", "Salem, OR", "Boise, ID"], "labels", None),
        (["cat,bird", "dog,bird"], "classname", None),  # a name with a comma is more likely
        (["haze", "primary", "haze primary"], "tags", " "),
        (["haze", "primary", "haze primary"], "classname", None),
        (["ABBOTTS BABBLER", "CROW"], "labels", None),
        (["tench, Tinca tinca", "goldfish, Carassius auratus"], "labels", None),
        (["tench, Tinca tinca", "goldfish, Carassius auratus"], "classname", None),
        (["rock|pop", "jazz|blues"], "classname", None),  # nothing says that these are two
        ([f"cat{LIST_MARK}dog", "bird"], "label", LIST_MARK),
        (["cat", "dog", ""], "labels", None),
        ([], "labels", None),
    ],
)
def test_evidence(cells: list[str], column: str, mark: str | None) -> None:
    assert find_mark(cells, column) == mark


def test_parts() -> None:
    assert parts_of("cat| dog ||cat", "|") == ["cat", "dog"]
    assert parts_of("cat|dog", None) == ["cat|dog"]
    assert parts_of("", None) == parts_of("", "|") == []


def test_names_that_stay_whole_are_known() -> None:
    assert undivided(["a|b", "c", "a|b", "x, y"], "label") == ["a|b"]
    assert undivided(["a|b", "c", "x, y"], "labels") == ["a|b", "x, y"]


def test_a_division_that_is_a_guess_has_examples() -> None:
    cells = ["red|apple", "green|apple", "pear|x"]
    assert find_mark(cells, "category") == "|"
    assert not is_sure(cells, "|")
    assert not is_sure(["bear", "brown", "brown bear"], " ")
    assert is_sure(["cat", "dog", "cat,dog"], ",")
    assert examples(cells, "|") == "'green|apple' is 'green' and 'apple'; 'pear|x' is 'pear' and 'x'"
