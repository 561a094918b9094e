"""One order and one Unicode form of class names."""

from __future__ import annotations

import unicodedata

import pytest

from dapt.data.read.class_names import are_numbers, class_order, spelt_alike


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["10", "9", "1", "2"], ["1", "2", "9", "10"]),
        (["10", "-3", "-20", "0", "+2"], ["-20", "-3", "0", "+2", "10"]),
        (["010", "9", "0"], ["0", "9", "010"]),
        (["10", "9", "b"], ["10", "9", "b"]),
        (["b", "B", "a_c", "a b"], ["B", "a b", "a_c", "b"]),
        (["1.5", "10"], ["1.5", "10"]),
        ([], []),
    ],
)
def test_order(names: list[str], ordered: list[str]) -> None:
    assert class_order(names) == ordered
    assert class_order(reversed(names)) == ordered


def test_numbers_of_any_length() -> None:
    long = "9" * 5000
    assert class_order([long, "1", "1" + long, "-" + long]) == ["-" + long, "1", long, "1" + long]


def test_the_order_does_not_depend_on_the_form() -> None:
    names = ["eau", "\u00e9tang", "f", "\u00e0"]
    apart = [unicodedata.normalize("NFD", name) for name in names]
    assert apart != names
    assert [unicodedata.normalize("NFC", name) for name in class_order(apart)] == class_order(names)
    assert set(class_order(apart)) == set(apart)


def test_what_is_said_of_numbers() -> None:
    assert are_numbers(["1", "2", "10"])
    assert not are_numbers(["1", "2", "9"])  # as letters sort them, too
    assert not are_numbers(["a", "10", "9"])
    assert not are_numbers([])


def test_names_spelt_alike() -> None:
    assert spelt_alike(["Cat", "cat", "dog", "golden  retriever", "Golden retriever"]) == [
        ("Cat", "cat"),
        ("Golden retriever", "golden  retriever"),
    ]
    assert spelt_alike(["cat", "dog"]) == []
