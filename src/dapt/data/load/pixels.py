"""How many pixels a picture may have, and how many are decoded at a time.

The limit is a setting of the process, like `dapt.console.set_quiet`: pictures are read in too many places to hand it
on. Loader processes are told (`dapt.data.load.loader`).
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Lock

from PIL import Image

from dapt.data.load.notes import Found, note, several
from dapt.limits import LARGE_PIXELS, MAX_MEGAPIXELS, PIXELS_AT_A_TIME

_option: float | None = None
_setting: float | None = None


def use_option(millions: float | None) -> None:
    """A command begins: the limit given with ``--max-pixels``, which goes before a run's own; None: none was given."""
    global _option, _setting
    _option, _setting = millions, None


def use_setting(millions: float) -> None:
    """The limit that a run's configuration says."""
    global _setting
    _setting = millions


def max_megapixels() -> float:
    """How many million pixels a picture may have."""
    if _option is not None:
        return _option
    return MAX_MEGAPIXELS if _setting is None else _setting


class _Room:
    """Pixels that are being decoded in this process."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._used = 0

    def take(self, pixels: int) -> None:
        """Wait until there is room; what has more pixels than all of it is let in when it is alone."""
        with self._changed:
            self._changed.wait_for(lambda: self._used == 0 or self._used + pixels <= PIXELS_AT_A_TIME)
            self._used += pixels

    def give(self, pixels: int) -> None:
        """Give back what was taken."""
        with self._changed:
            self._used -= pixels
            self._changed.notify_all()


class _Held(threading.local):
    """What the present thread has taken; None outside of `decoding`."""

    pixels: int | None = None


_room = _Room()
_held = _Held()


@contextmanager
def decoding() -> Iterator[None]:
    """What is taken inside with `take_room` is given back at the end; an inner `decoding` leaves that to the outer."""
    if _held.pixels is not None:
        yield
        return
    _held.pixels = 0
    try:
        yield
    finally:
        _room.give(_held.pixels)
        _held.pixels = None


def take_room(pixels: int) -> None:
    """Wait until so many pixels may be decoded. At most once within `decoding`: a second time could wait for itself."""
    if _held.pixels is None:
        raise RuntimeError("take_room outside of decoding")
    if _held.pixels == 0:
        _room.take(pixels)
        _held.pixels = pixels
        if pixels > LARGE_PIXELS:
            _return_memory()


def _return_memory() -> None:
    """Give free memory back to the system: glibc keeps that of a large picture for each thread that had one.

    It still keeps up to 32 MB for each.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


class _PillowLimit:
    """Pillow's own limit, lifted while pictures are read: it warns and refuses at sizes that are not ours."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._before: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                Image.MAX_IMAGE_PIXELS = self._before

    def after_fork(self) -> None:
        """The threads that were inside are not in the new process."""
        if self._inside:
            Image.MAX_IMAGE_PIXELS = self._before
        self._lock, self._inside = Lock(), 0


without_pillow_limit = _PillowLimit()


def note_reduced(path: Path, size: tuple[int, int], scale: int) -> None:
    """Remember that a JPEG of `size` (width, height) is read at one `scale`-th of it."""
    note(reduced_jpegs, path, f"{size[0]} x {size[1]}, read at one {({2: 'half', 4: 'quarter', 8: 'eighth'})[scale]}")


def reduced_jpegs(found: Found) -> str:
    """What is said of JPEGs that are read at less than their size."""
    return (
        f"{several(found, 'JPEG has', 'JPEGs have')} more than {max_megapixels():g} million pixels (max_pixels) and "
        f"are read at a half, a quarter or an eighth of their size; the first: {found[0][0]} ({found[0][1]})"
    )


def _after_fork() -> None:
    global _room, _held
    _room, _held = _Room(), _Held()
    without_pillow_limit.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
