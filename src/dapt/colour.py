"""Colours as people write them: ``white``, ``black``, or ``#rrggbb``."""

from __future__ import annotations

import re

from dapt.errors import ConfigError
from dapt.strict import shown

WHITE, BLACK = "white", "black"
_NAMED = {WHITE: (255, 255, 255), BLACK: (0, 0, 0)}
_HEX = re.compile(r"#?[0-9a-fA-F]{6}")

Rgb = tuple[int, int, int]


def colour_of(text: str) -> Rgb:
    """Red, green and blue, 0..255 each.

    Raises:
        ConfigError: `text` is no colour.
    """
    name = text.strip().lower()
    if name in _NAMED:
        return _NAMED[name]
    if not _HEX.fullmatch(name):
        raise ConfigError(f"{shown(text)} is no colour.", todo="Write white, black or #rrggbb, for example #808080.")
    number = int(name.lstrip("#"), 16)
    return number >> 16, number >> 8 & 255, number & 255
