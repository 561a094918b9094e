"""A few of many, evenly chosen and in their order."""

from __future__ import annotations

from dapt.evenly import evenly, from_first_to_last


def test_the_first_of_equal_parts() -> None:
    assert evenly("abcdefghij", 5) == list("acegi")
    assert evenly("abc", 9) == list("abc")
    assert evenly("", 3) == []


def test_both_ends_are_among_them() -> None:
    assert from_first_to_last("abcdefghi", 3) == list("aei")
    assert from_first_to_last("abc", 9) == list("abc")
    assert from_first_to_last("", 3) == []
