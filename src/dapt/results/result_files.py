"""Where results are: the files of runs and protocols under a folder, on this machine or elsewhere (fsspec)."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dapt.errors import DataError
from dapt.paths import with_home

RUN, PROTOCOL, SETTINGS = "results.json", "protocol.json", "run.yaml"
NAMES = (RUN, PROTOCOL, SETTINGS)
JSON = ".json"  # outside of runs such files may be audits


@dataclass(frozen=True)
class Stamped:
    """A file that may have changed since it was read last.

    Attributes:
        path: within the place. stamp: its size and time of change, as a text that is compared.
    """

    path: str
    stamp: str

    @property
    def folder(self) -> str:
        """The folder that it is in, within the place; empty for the place itself."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.rpartition("/")[2]


class Place(ABC):
    """A folder with runs somewhere below it."""

    @abstractmethod
    def find(self) -> Iterator[Stamped]:
        """All files called as one of `NAMES`, and the JSON files beside runs.

        Raises:
            DataError: there is no such folder, or it cannot be listed.
        """

    @abstractmethod
    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            OSError: it cannot be read.
        """

    @abstractmethod
    def head(self, path: str, size: int) -> bytes:
        """The first `size` bytes of a file.

        Raises:
            OSError: it cannot be read.
        """


class LocalPlace(Place):
    """A folder of this machine; folders that are links are followed, each once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self) -> Iterator[Stamped]:
        if not self._folder.is_dir():
            raise DataError(f"There is no folder {self._folder}.", todo="Name a folder with runs in it.")
        seen: set[tuple[int, int]] = set()
        waiting = [""]
        while waiting:
            inside = waiting.pop()
            place = self._folder / inside
            state = place.stat()
            if (state.st_dev, state.st_ino) in seen:
                continue
            seen.add((state.st_dev, state.st_ino))
            try:
                with os.scandir(place) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                raise DataError(f"{place} cannot be listed: {error.strerror or error}.") from error
            prefix = f"{inside}/" if inside else ""
            is_run = any(entry.name == SETTINGS for entry in found)
            within: list[str] = []
            for entry in found:
                named = entry.name in NAMES or (not is_run and _may_be_audit(entry.name))
                if named and entry.is_file():
                    state = entry.stat()
                    yield Stamped(prefix + entry.name, f"{state.st_size} {state.st_mtime_ns}")
                elif not is_run and not entry.name.startswith(".") and entry.is_dir():
                    within.append(prefix + entry.name)  # of what is within a run nothing is a run
            waiting += reversed(within)

    def read(self, path: str) -> bytes:
        return (self._folder / path).read_bytes()

    def head(self, path: str, size: int) -> bytes:
        with (self._folder / path).open("rb") as file:
            return file.read(size)


class RemotePlace(Place):
    """A folder that fsspec knows how to read, such as ``s3://bucket/runs``.

    Raises:
        DataError: fsspec or what it needs for such addresses is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            import fsspec

            self._files, root = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise DataError(f"{address} cannot be read: {error}", todo="Install what it names.") from error
        self._address, self._root = address, root.rstrip("/")

    def find(self) -> Iterator[Stamped]:
        try:
            found = self._files.find(self._root, detail=True)
        except OSError as error:
            raise DataError(f"{self._address} cannot be listed: {error}.") from error
        if not found and not self._files.exists(self._root):
            raise DataError(f"There is no folder {self._address}.", todo="Name a folder with runs in it.")
        runs = {path.rpartition("/")[0] for path in found if path.rpartition("/")[2] == SETTINGS}
        for path, about in sorted(found.items()):
            inside = path.removeprefix(self._root).lstrip("/")
            folder, _, name = path.rpartition("/")
            beside = _may_be_audit(name) and not any(folder == run or folder.startswith(f"{run}/") for run in runs)
            if name in NAMES or beside:
                marks = (about.get(key) for key in ("size", "mtime", "created", "LastModified", "ETag", "etag"))
                yield Stamped(inside, " ".join(str(mark) for mark in marks if mark is not None))

    def read(self, path: str) -> bytes:
        content: bytes = self._files.cat_file(f"{self._root}/{path}" if self._root else path)
        return content

    def head(self, path: str, size: int) -> bytes:
        content: bytes = self._files.cat_file(f"{self._root}/{path}" if self._root else path, start=0, end=size)
        return content


def _may_be_audit(name: str) -> bool:
    return name.endswith(JSON) and not name.startswith(".")


def place_of(where: Path | str) -> Place:
    """The place that a path or an address names."""
    if "://" in str(where):
        return RemotePlace(str(where))
    return LocalPlace(Path(with_home(str(where))))
