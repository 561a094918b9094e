"""All that lies below a folder: pictures, other files by reason, and folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dapt.data.read.kinds import HEIF_MISSING, LEFTOVER, RAW, UNKNOWN, is_leftover, is_picture, why_unused
from dapt.data.read.split_names import split_of
from dapt.errors import DataError
from dapt.limits import FOLDER_DEPTH

LINKS = "links to folders, which are not looked into"
DEAD = "links that lead nowhere, pipes and other things that are no files"
MISNAMED = "pictures by their content, whose names do not end so: rename them (.jpg, .png)"
UNREAD = (HEIF_MISSING, RAW, MISNAMED)  # photographs all the same
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"\x00\x00\x00\x0cjP  ")
_START = 12


@dataclass
class Tree:
    """What lies below a folder, as paths relative to it with ``/`` between the parts.

    Attributes:
        top: the folder. pictures: names of files that are read as pictures, sorted part by part.
        folders: all folders that are no leftovers, sorted. unused: the other files by reason.
    """

    top: Path
    pictures: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    unused: dict[str, list[str]] = field(default_factory=dict)

    def others(self) -> Iterator[tuple[str, str]]:
        """The files that are neither pictures nor leftovers, each with its reason."""
        for reason, names in self.unused.items():
            if reason not in (LEFTOVER, LINKS, DEAD):
                yield from ((name, reason) for name in names)


def by_parts(name: str) -> list[str]:
    """The key by which paths are sorted: part by part, as `pathlib` does."""
    return name.split("/")


def look_through(top: Path, follow: Callable[[str], bool] | None = None) -> Tree:
    """List a folder and all below it.

    Args:
        follow: whether a link to a folder, of this relative path, is looked into; None: none is.

    Raises:
        DataError: a folder cannot be read.
    """
    tree = Tree(top)
    _look(tree, "", follow or (lambda name: False), {os.path.realpath(top)})
    tree.pictures.sort(key=by_parts)
    tree.folders.sort(key=by_parts)
    for names in tree.unused.values():
        names.sort(key=by_parts)
    return tree


def _look(tree: Tree, inside: str, follow: Callable[[str], bool], above: set[str], *, leftover: bool = False) -> None:
    folder = tree.top / inside if inside else tree.top
    check_depth(tree.top, inside)
    for entry in _entries(folder):
        name = f"{inside}/{entry.name}" if inside else entry.name
        left = leftover or is_leftover(entry.name)
        try:
            is_folder, is_link = entry.is_dir(), entry.is_symlink()
        except OSError as error:
            raise unreadable(error, folder) from error
        if is_folder:
            real = os.path.realpath(entry.path) if is_link else ""
            if is_link and (left or real in above or not follow(name)):
                tree.unused.setdefault(LEFTOVER if left else LINKS, []).append(name)
                continue
            if not left:
                tree.folders.append(name)
            _look(tree, name, follow, above | {real} if real else above, leftover=left)
        elif left:
            tree.unused.setdefault(LEFTOVER, []).append(name)
        elif is_picture(entry.name):
            tree.pictures.append(name)
        else:
            tree.unused.setdefault(_reason(entry), []).append(name)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise unreadable(error, folder) from error


def _reason(entry: os.DirEntry[str]) -> str:
    reason = why_unused(entry.name)
    if reason not in (UNKNOWN, HEIF_MISSING):
        return reason
    try:
        if not entry.is_file():
            return DEAD
        with Path(entry.path).open("rb") as file:
            start = file.read(_START)
    except OSError:
        return DEAD if entry.is_symlink() else "files that cannot be opened"
    riff = start[:4] == b"RIFF" and start[8:] == b"WEBP"
    return MISNAMED if start.startswith(_STARTS) or riff else reason


def check_depth(top: Path, inside: str) -> None:
    """Refuse folders within folders beyond all measure.

    Args:
        inside: the path of a folder within `top`.

    Raises:
        DataError: it lies too deep.
    """
    if inside.count("/") >= FOLDER_DEPTH:
        raise DataError(
            f"Folders in {top / inside.partition('/')[0]} lie more than {FOLDER_DEPTH} folders deep.",
            todo="Move the photos up, or the folders away.",
        )


def follow_splits_and_classes(name: str) -> bool:
    """Links to folders that are looked into: those to splits and to class folders, not those within a class."""
    *above, _ = by_parts(name)
    return all(split_of(part) is not None for part in above)


def unreadable(error: OSError, folder: Path) -> DataError:
    """The error for a folder that cannot be listed."""
    return DataError(f"The folder {error.filename or folder} cannot be read: {error.strerror or error}.")
