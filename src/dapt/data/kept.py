"""Texts about files in a cache, by path, valid as long as a file has its size and time of change."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from dapt.console import warn
from dapt.files import make_folder

AT_A_TIME = 500  # paths that are asked for in one go

State = tuple[int, int]  # size in bytes and time of change in nanoseconds


def state_now(path: Path) -> State | None:
    """Size and time of change of a file, None where it is not there."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


class KeptTexts:
    """One text per file. To be used by one thread.

    A cache that cannot be opened, read or written is said and done without: it saves time, nothing else.

    Args:
        file: of the cache; None: nothing is kept. column: what the texts are, as the table calls them.
        version: of what they say; those of another one are thrown away. without: what happens without the cache.
    """

    def __init__(self, file: Path | None, column: str, version: int, without: str) -> None:
        self._file = file
        self._column = column
        self._without = without
        self._base: sqlite3.Connection | None = None
        if file is None:
            return
        try:
            make_folder(file.parent)
            self._open(file, version)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def _open(self, file: Path, version: int) -> None:
        self._base = sqlite3.connect(file, timeout=10)
        self._base.execute("pragma journal_mode=wal")
        found = self._base.execute("pragma user_version").fetchone()[0]
        if found != version:
            self._base.execute(f"drop table if exists {self._column}s")
            self._base.execute(f"pragma user_version={version}")
        self._base.execute(
            f"create table if not exists {self._column}s "
            f"(path blob primary key, size integer, changed integer, {self._column} text)"
        )
        self._base.commit()

    def texts(self, paths: Sequence[Path], states: Sequence[State | None]) -> dict[int, str]:
        """The texts that are kept and still valid, by position in `paths`."""
        if self._base is None:
            return {}
        found: dict[int, str] = {}
        try:
            for start in range(0, len(paths), AT_A_TIME):
                part = {_key(path): start + place for place, path in enumerate(paths[start : start + AT_A_TIME])}
                marks = ",".join("?" * len(part))
                asked = self._base.execute(
                    f"select path, size, changed, {self._column} from {self._column}s where path in ({marks})",
                    list(part),
                )
                for key, size, changed, text in asked:
                    place = part[bytes(key)]
                    if states[place] == (size, changed):
                        found[place] = str(text)
        except sqlite3.Error as error:
            self._give_up(error)
        return found

    def keep(self, rows: Iterable[tuple[Path, State, str]]) -> None:
        """Keep texts, durably."""
        if self._base is None:
            return
        kept = [(_key(path), *state, text) for path, state, text in rows]
        try:
            self._base.executemany(f"insert or replace into {self._column}s values (?, ?, ?, ?)", kept)
            self._base.commit()
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        if self._base is not None:
            self._base.close()
            self._base = None

    def _give_up(self, error: Exception) -> None:
        warn(f"The cache {self._file} is not used: {error}. {self._without}; remove the file if it is damaged.")
        base, self._base = self._base, None
        if base is not None:
            with suppress(sqlite3.Error):
                base.close()


def _key(path: Path) -> bytes:
    return os.fsencode(path.absolute())
