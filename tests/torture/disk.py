"""What a power failure could take: a disk that keeps only what was synced, from the operations that were seen."""

# Paths are text here: that is how the operations tell them.
# ruff: noqa: PTH119, PTH120

from __future__ import annotations

import os
from collections.abc import Iterable

LOCKS = (".lock", "lock")  # they say nothing, so they need not be there
GROWING = (
    "events.out.tfevents.0.dapt",
)  # written whole first, then appended to: its records tell whether they are whole


class Disk:
    """The files that operations made, and whether they would be there after a power failure.

    A file is right if it was written beside its place, synced, renamed into it, and the folder synced after that; or
    if the whole disk was synced at these two moments.

    Attributes:
        wrong: what is not so, a line each.
    """

    def __init__(self) -> None:
        self._content: dict[str, bool] = {}  # files made or written here: whether their content is synced
        self._renamed: set[str] = set()
        self._entries: dict[str, bool] = {}  # names made here: whether their folder was synced since
        self.wrong: list[str] = []

    def play(self, operations: Iterable[list[str]]) -> Disk:
        """Take operations as `Watch` sees them, and look at what is there in the end."""
        for kind, *paths in operations:
            self._play(kind, paths)
        for path, synced in self._content.items():
            if os.path.basename(path) in LOCKS:
                continue
            if path not in self._renamed and os.path.basename(path) not in GROWING:
                self.wrong.append(f"{path} was written in its place")
            if not synced:
                self.wrong.append(f"{path} was not synced")
        self.wrong += [
            f"the folder of {path} was not synced"
            for path, synced in self._entries.items()
            if not synced and os.path.basename(path) not in LOCKS
        ]
        return self

    def _play(self, kind: str, paths: list[str]) -> None:
        path = paths[0]
        if kind == "open" and path not in self._content:
            self._entries.setdefault(path, False)
            self._content[path] = False
        elif kind in ("write", "half", "os.truncate"):
            self._content[path] = False
            self._renamed.discard(path)
        elif kind == "fsync":
            if path in self._content:
                self._content[path] = True
            for name in self._entries:
                if os.path.dirname(name) == path:
                    self._entries[name] = True
        elif kind == "sync":
            self._content = dict.fromkeys(self._content, True)
            self._entries = dict.fromkeys(self._entries, True)
        elif kind == "os.mkdir":
            self._entries.setdefault(path, False)
        elif kind == "os.rename":
            self._rename(*paths)
        elif kind in ("os.remove", "os.rmdir"):
            self._forget(path)

    def _rename(self, source: str, target: str) -> None:
        self._forget(target)
        for path in [each for each in self._content if _within(each, source)]:
            place = target + path[len(source) :]
            if not self._content[path]:
                self.wrong.append(f"{path} was renamed to {place} before it was synced")
            self._content[place] = self._content.pop(path)
            self._renamed.discard(path)
            self._renamed.add(place)
        for path in [each for each in self._entries if _within(each, source)]:
            self._entries[target + path[len(source) :]] = self._entries.pop(path)
        self._entries[target] = False

    def _forget(self, path: str) -> None:
        for name in [each for each in self._content if _within(each, path)]:
            del self._content[name]
            self._renamed.discard(name)
        for name in [each for each in self._entries if _within(each, path)]:
            del self._entries[name]


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)
