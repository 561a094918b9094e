"""How the colours of images are understood: what lies behind transparent parts, and how many bits deep images use.

Like the limit of pixels (`dapt.data.load.pixels`) these are settings of the process, for images are read in too many
places to hand them on. A saved model brings its own along (`ImagePreprocess`), so that two of them can be used side by
side. An option of the command line goes before both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dapt.colour import WHITE


@dataclass(frozen=True)
class Reading:
    """How images are read.

    Attributes:
        matte: colour behind transparent parts, see `dapt.colour.colour_of`.
        bits: that images of more than 8 bits per channel use; None: told by the largest value of each image.
    """

    matte: str = WHITE
    bits: int | None = None


_matte: str | None = None
_bits: int | None = None
_setting = Reading()


def use_matte(colour: str | None) -> None:
    """A command begins: the colour given with ``--matte``; None: none was given."""
    global _matte, _setting
    _matte, _setting = colour, Reading()


def use_bits(bits: int | None) -> None:
    """A command begins: the bits given with ``--bits``; None: none were given."""
    global _bits, _setting
    _bits, _setting = bits, Reading()


@dataclass(frozen=True)
class Given:
    """What a command was given: `Reading` with None for what it was not."""

    matte: str | None = None
    bits: int | None = None


def given_reading() -> Given:
    """What this command was given, for processes that work for it."""
    return Given(_matte, _bits)


def use_reading(reading: Reading) -> None:
    """How the configuration of a run says that images are read."""
    global _setting
    _setting = reading


def current(own: Reading | None = None) -> Reading:
    """How images are read now.

    Args:
        own: what the model says that they are read for; None: what the last run said.
    """
    given = own or _setting
    if _matte is None and _bits is None:
        return given
    return Reading(_matte or given.matte, given.bits if _bits is None else _bits)


def changed_reading() -> dict[str, Any]:
    """How images are read now, as far as it is not by default; what they decide is noted with that."""
    now, default = current(), Reading()
    return {key: getattr(now, key) for key in ("matte", "bits") if getattr(now, key) != getattr(default, key)}
