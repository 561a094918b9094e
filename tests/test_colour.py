"""Colours as people write them."""

from __future__ import annotations

import pytest

from dapt.colour import colour_of
from dapt.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "rgb"),
    [("white", (255, 255, 255)), (" Black ", (0, 0, 0)), ("#0a80Ff", (10, 128, 255)), ("102030", (16, 32, 48))],
)
def test_colours(text: str, rgb: tuple[int, int, int]) -> None:
    assert colour_of(text) == rgb


@pytest.mark.parametrize("text", ["", "red", "#fff", "#12345g", "0x102030"])
def test_what_is_no_colour(text: str) -> None:
    with pytest.raises(ConfigError, match="is no colour") as caught:
        colour_of(text)
    assert "#rrggbb" in caught.value.todo
