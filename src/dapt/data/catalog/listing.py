"""What folders hold, each listed once: data sets have up to a million files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dapt.console import warn
from dapt.data.catalog.base import Dataset, Request
from dapt.data.read.folder import IMAGE_TYPES
from dapt.data.read.split_json import Row
from dapt.errors import DataError
from dapt.wording import some


class Listing:
    """The file names in the folders under `top`, listed when first asked for."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self._names: dict[str, frozenset[str]] = {}

    def names(self, folder: str) -> frozenset[str]:
        """What the folder holds; nothing where it does not exist.

        Raises:
            DataError: as `entries_of`.
        """
        if folder not in self._names:
            self._names[folder] = frozenset(entry.name for entry in entries_of(self.top / folder))
        return self._names[folder]

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        folder, _, name = path.rpartition("/")
        return name in self.names(folder)


def entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing where it does not exist or is a file.

    Raises:
        DataError: it is there and cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unreadable(folder, error) from error


def unreadable(folder: Path, error: OSError) -> DataError:
    """The error for a folder that is there and cannot be read."""
    return DataError(
        f"{folder} cannot be read: {error.strerror or error}.",
        todo="Give yourself the right to read it, or check the disk.",
    )


def split_name(name: str) -> tuple[str, str]:
    """A file name without its extension, and the extension with its dot in lower case."""
    stem, dot, extension = name.rpartition(".")
    return (stem, dot + extension.lower()) if stem else (name, "")


def class_folders(folder: Path) -> list[str]:
    """Names of the sub-folders, sorted.

    Raises:
        DataError: as `entries_of`.
    """
    return sorted(entry.name for entry in entries_of(folder) if not entry.name.startswith(".") and entry.is_dir())


def image_files(folder: Path) -> list[str]:
    """Names of the image files in a folder, sorted; those that begin with a dot are none.

    Raises:
        DataError: as `entries_of`.
    """
    names = (entry.name for entry in entries_of(folder))
    return sorted(name for name in names if split_name(name)[1] in IMAGE_TYPES and name[0] != ".")


def image_tree(folder: Path) -> Iterator[str]:
    """Relative paths of all image files below a folder, folder by folder, sorted."""
    yield from image_files(folder)
    for sub in class_folders(folder):
        for path in image_tree(folder / sub):
            yield f"{sub}/{path}"


def present(rows: dict[str, list[Row]], dataset: Dataset, top: Path, request: Request) -> dict[str, list[Row]]:
    """The rows (path, label, class name) of each split whose image is there.

    Raises:
        DataError: some are absent and `Request.skip_bad` is false, or none is left.
    """
    listing = Listing(top)
    kept = {split: [row for row in part if listing.has(row[0])] for split, part in rows.items()}
    total = sum(map(len, rows.values()))
    missing = total - sum(map(len, kept.values()))
    if not missing:
        return kept
    absent = [row for part in rows.values() for row in part if not listing.has(row[0])]
    text = (
        f"{missing} of {total} images of {dataset.title} are missing under {top}: {some([row[0] for row in absent])}."
    )
    text += _whole(rows, absent)
    if missing == total or not request.skip_bad:
        again = f"Run 'dapt data download {dataset.name} --only images --force'"
        raise DataError(
            text,
            todo=f"{again}, then 'dapt data verify {dataset.name}'"
            + (", or pass --skip-bad to leave them out." if missing < total else "."),
        )
    if request.absent is None:
        warn(f"{text} They are left out.")
    else:
        request.absent.extend(dataset.image_name(row[0]) for row in absent)
    return kept


def _whole(rows: dict[str, list[Row]], absent: Sequence[Row]) -> str:
    """What is missing as a whole: folders and classes."""
    gone = {row[0] for row in absent}
    every = [row for part in rows.values() for row in part]
    parts = []
    ways: dict[str, Callable[[Row], str]] = {
        "Folders": lambda row: row[0].rpartition("/")[0],
        "Classes": lambda row: row[2],
    }
    for what, key in ways.items():
        left = {key(row) for row in every if row[0] not in gone}
        none = sorted({key(row) for row in absent} - left)
        if none and none != [""]:
            parts.append(f" {what} missing entirely: {len(none)} ({some(none)}).")
    return "".join(parts)
