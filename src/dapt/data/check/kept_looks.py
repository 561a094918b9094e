"""Looks at image files, kept in the user's cache, so that a second check takes seconds and a killed one goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from dapt.data.check.look import VERSION, Look
from dapt.data.kept import KeptTexts
from dapt.data.kept import State as State
from dapt.paths import user_cache


def cache_file() -> Path | None:
    """Where looks are kept: ``dapt/looks.sqlite`` in the user's cache (``$XDG_CACHE_HOME``, else ``~/.cache``).

    None where nobody knows the home folder.
    """
    try:
        return user_cache() / "looks.sqlite"
    except RuntimeError:
        return None


class KeptLooks:
    """Looks by path, valid as long as a file has its size and time of change. To be used by one thread.

    Args:
        file: of the cache, see `KeptTexts`; None: nothing is kept.
    """

    def __init__(self, file: Path | None) -> None:
        self._texts = KeptTexts(file, "look", VERSION, "Every image is looked at")

    def get(self, paths: Sequence[Path], states: Sequence[State | None]) -> dict[int, Look]:
        """The looks that are kept and still valid, by position in `paths`."""
        found: dict[int, Look] = {}
        for place, text in self._texts.texts(paths, states).items():
            with suppress(ValueError, TypeError, LookupError):  # damaged: it is looked at again
                found[place] = Look.of_text(text)
        return found

    def put(self, rows: Iterable[tuple[Path, State, Look]]) -> None:
        """Keep looks, durably. Files that could not be read are not kept: the next check tries them again."""
        self._texts.keep((path, state, look.as_text()) for path, state, look in rows if not look.problem)

    def close(self) -> None:
        """Close the file."""
        self._texts.close()
