"""The record of what has been downloaded for a data set, kept in its folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from dapt.console import warn
from dapt.errors import DaptError
from dapt.files import read_json, write_json

RECORD = ".dapt-download.json"
SHOWN = 20  # names of unpacked files or folders that are recorded and looked for per archive


class Received:
    """Parts that are downloaded and in place.

    Args:
        folder: the data set's. root: the data root, to which recorded paths are relative.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._path = folder / RECORD
        self._root = root
        self._parts: list[dict[str, Any]] = []
        if self._path.is_file():
            try:
                self._parts = [_whole(part) for part in read_json(self._path)["parts"]]
            except (DaptError, KeyError, TypeError, ValueError):
                warn(f"{self._path} cannot be read; what was downloaded before is downloaded again")

    def has(self, source: str) -> bool:
        """Whether all files of a source are there."""
        parts = [part for part in self._parts if part.get("source") == source]
        there = {part["name"] for part in parts if self._is_there(part)}
        return bool(parts) and len(there) >= max(part["files"] for part in parts)

    def has_part(self, source: str, name: str) -> bool:
        """Whether one file of a source is there."""
        return any(
            part.get("source") == source and part.get("name") == name and self._is_there(part) for part in self._parts
        )

    def add(self, what: str, source: str, files: int, name: str, size: int, checksum: str, places: list[Path]) -> None:
        """Record a part that is in place.

        Args:
            what: kind. source: stands for the catalog's entry, which `files` parts make complete. name: of the file.
            size: bytes downloaded. checksum: ``md5:...`` or ``sha256:...``. places: what came of it.
        """
        entry = {
            "what": what,
            "source": source,
            "files": files,
            "name": name,
            "size": size,
            "checksum": checksum,
            "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "holds": [place.relative_to(self._root).as_posix() for place in places[:SHOWN]],
        }
        others = [part for part in self._parts if (part.get("source"), part.get("name")) != (source, name)]
        self._parts = [*others, entry]
        write_json(self._path, {"schema": 1, "parts": self._parts})

    def _is_there(self, part: dict[str, Any]) -> bool:
        return all((self._root / name).exists() for name in part.get("holds", ()))


def _whole(part: Any) -> dict[str, Any]:
    """An entry, if it has what is read of it.

    Raises:
        TypeError: it has not.
    """
    entry = dict(part)
    holds = entry.get("holds", [])
    named = all(isinstance(entry.get(key), str) for key in ("source", "name"))
    if not (named and isinstance(entry.get("files"), int) and isinstance(holds, list)):
        raise TypeError("an entry lacks its source, name or number of files")
    if not all(isinstance(name, str) for name in holds):
        raise TypeError("an entry holds something else than names")
    return entry
