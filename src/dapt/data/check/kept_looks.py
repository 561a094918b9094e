"""Looks at image files, kept in the user's cache, so that a second check takes seconds and a killed one goes on."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from dapt.console import warn
from dapt.data.check.look import VERSION, Look
from dapt.files import make_folder
from dapt.paths import user_cache

AT_A_TIME = 500  # paths that are asked for in one go

State = tuple[int, int]  # size in bytes and time of change in nanoseconds


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

    A cache that cannot be opened, read or written is said and done without: it saves time, nothing else.

    Args:
        file: of the cache; None: nothing is kept.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._base: sqlite3.Connection | None = None
        if file is None:
            return
        try:
            make_folder(file.parent)
            self._open(file)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def _open(self, file: Path) -> None:
        self._base = sqlite3.connect(file, timeout=10)
        self._base.execute("pragma journal_mode=wal")
        found = self._base.execute("pragma user_version").fetchone()[0]
        if found != VERSION:
            self._base.execute("drop table if exists looks")
            self._base.execute(f"pragma user_version={VERSION}")
        self._base.execute(
            "create table if not exists looks (path blob primary key, size integer, changed integer, look text)"
        )
        self._base.commit()

    def get(self, paths: Sequence[Path], states: Sequence[State | None]) -> dict[int, Look]:
        """The looks that are kept and still valid, by position in `paths`."""
        if self._base is None:
            return {}
        found: dict[int, Look] = {}
        try:
            for start in range(0, len(paths), AT_A_TIME):
                part = {_key(path): start + place for place, path in enumerate(paths[start : start + AT_A_TIME])}
                marks = ",".join("?" * len(part))
                asked = self._base.execute(
                    f"select path, size, changed, look from looks where path in ({marks})", list(part)
                )
                for key, size, changed, text in asked:
                    place = part[bytes(key)]
                    if states[place] == (size, changed):
                        with suppress(ValueError, TypeError, LookupError):  # damaged: it is looked at again
                            found[place] = Look.of_text(text)
        except sqlite3.Error as error:
            self._give_up(error)
        return found

    def put(self, rows: Iterable[tuple[Path, State, Look]]) -> None:
        """Keep looks, durably. Files that could not be read are not kept: the next check tries them again."""
        if self._base is None:
            return
        kept = [(_key(path), *state, look.as_text()) for path, state, look in rows if not look.problem]
        try:
            self._base.executemany("insert or replace into looks values (?, ?, ?, ?)", kept)
            self._base.commit()
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        if self._base is not None:
            self._base.close()
            self._base = None

    def _give_up(self, error: Exception) -> None:
        warn(
            f"The cache {self._file} is not used: {error}. Every image is looked at; remove the file if it is damaged."
        )
        base, self._base = self._base, None
        if base is not None:
            with suppress(sqlite3.Error):
                base.close()


def _key(path: Path) -> bytes:
    return os.fsencode(path.absolute())
