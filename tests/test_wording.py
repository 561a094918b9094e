"""Lists of names in sentences."""

from __future__ import annotations

import pytest

from dapt.wording import counted, some


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b", "c"], "a, b, c"), (["a", "b", "c", "d", "e"], "a, b, c and 2 more")],
)
def test_the_first_names_and_how_many_more(names: list[str], text: str) -> None:
    assert some(names) == text


def test_as_many_as_are_asked_for() -> None:
    assert some(["a", "b"], 1) == "a and 1 more"


@pytest.mark.parametrize(("number", "text"), [(0, "0 masks"), (1, "1 mask"), (2, "2 masks"), (12345, "12,345 masks")])
def test_what_is_counted_is_one_or_many(number: int, text: str) -> None:
    assert counted(number, "mask") == text
    assert counted(number, "box", "boxes").endswith("box" if number == 1 else "boxes")
