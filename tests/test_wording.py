"""Lists of names in sentences."""

from __future__ import annotations

import pytest

from dapt.wording import some


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b", "c"], "a, b, c"), (["a", "b", "c", "d", "e"], "a, b, c and 2 more")],
)
def test_the_first_names_and_how_many_more(names: list[str], text: str) -> None:
    assert some(names) == text


def test_as_many_as_are_asked_for() -> None:
    assert some(["a", "b"], 1) == "a and 1 more"
