"""What was done to images without being asked, counted and said once: read reduced, by a guessed range, on a matte.

Images are read in many threads, so what there is to say is noted by whoever reads one, and said by the command when all
have been looked at. What a loader process notes stays there: `dapt.data.load.check_images` looks at such images first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import contextmanager
from threading import Lock

from dapt.console import warn

Found = Sequence[tuple[str, str]]  # name of the image, and the detail that was noted
Sentence = Callable[[Found], str]


class _Notes:
    """Images by the sentence that tells of them, and whether they were told of."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[Sentence, dict[str, str]] = {}
        self._said: set[tuple[Sentence, str]] = set()

    def add(self, sentence: Sentence, name: str, detail: str) -> None:
        with self._lock:
            self._found.setdefault(sentence, {})[name] = detail

    def unsaid(self) -> list[tuple[Sentence, Found]]:
        with self._lock:
            found: list[tuple[Sentence, Found]] = []
            for sentence, images in self._found.items():
                new = sorted((name, detail) for name, detail in images.items() if (sentence, name) not in self._said)
                self._said.update((sentence, name) for name, _ in new)
                if new:
                    found.append((sentence, new))
        return found


_notes = _Notes()


def note(sentence: Sentence, name: object, detail: str = "") -> None:
    """Remember an image, to be told of by `say_notes`.

    Args:
        sentence: makes one sentence of all images that were noted with it. name: of the image, or its path.
    """
    _notes.add(sentence, str(name), detail)


_waiting = 0


@contextmanager
def said_together() -> Iterator[None]:
    """What is noted within is said at its end, with the total of all parts that are looked at."""
    global _waiting
    _waiting += 1
    try:
        yield
    finally:
        _waiting -= 1
        say_notes()


def say_notes() -> None:
    """One warning for each kind of what was noted and not said yet, later where `said_together` says so."""
    if _waiting:
        return
    for sentence, found in _notes.unsaid():
        warn(sentence(found))


def several(found: Sized, one: str, many: str) -> str:
    """``1 image has`` or ``7 images have``: the number with the word that fits."""
    return f"{len(found)} {one if len(found) == 1 else many}"


def _after_fork() -> None:
    global _notes
    _notes = _Notes()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
