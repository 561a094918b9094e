"""Lists beside class folders that divide their images: ``train.txt`` and ``test.txt``, or a table with splits."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dapt.data.items import ImageSet, Item
from dapt.data.read.aliases import split_word
from dapt.data.read.columns import find_columns
from dapt.data.read.decoding import decode
from dapt.data.read.row_paths import Files, is_picture
from dapt.data.read.table_file import TEXT_TYPES
from dapt.data.read.table_rows import open_table
from dapt.data.read.table_splits import row_splits
from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import read_bytes

FOLDERS = frozenset("meta metadata splits split lists list imagesets annotations labels csv".split())
IN_NO_LIST = "in none of the lists of splits"
MOSTLY = 0.5  # share of its lines that name images there in what looks like a list of them
MANY = 50  # files in a folder of lists; more are annotations of single images

Row = tuple[str, str, str]  # split, path, class; the class may be empty


def apply_split_lists(data: ImageSet) -> ImageSet:
    """Data of class folders with the splits of the lists beside them, where these are clear; else that is said.

    Nothing is done to data that has splits.
    """
    if not data.divided:
        return data
    items = {item.name: item for part in data.splits.values() for item in part}
    find = _Finder(items)
    rows: dict[str, list[Row]] = {}
    for path in _candidates(data.root):
        found = list(_rows(path))
        named = sum(find(name) is not None for _, name, _ in found)
        if found and named >= MOSTLY * len(found):
            rows[path.relative_to(data.root).as_posix()] = found
    if not rows:
        return data
    shown = " and ".join(sorted(rows))
    splits, wrong = _splits(rows, find)
    if wrong:
        said = f"{shown} look{'s' * (len(rows) == 1)} like a list of splits and is not read: {wrong}."
        return replace(data, guessed=(*data.guessed, said))
    left = tuple(name for name in items if name not in {item.name for part in splits.values() for item in part})
    unused = {reason: tuple(name for name in names if name not in rows) for reason, names in data.unused.items()}
    unused = {reason: names for reason, names in {**unused, IN_NO_LIST: left}.items() if names}
    said = f"The splits are those of {shown}."
    return replace(data, splits=splits, divided=False, unused=unused, guessed=(*data.guessed, said))


class _Finder:
    """Images by their path, the end of it that has the class folder, and both without extension."""

    def __init__(self, items: dict[str, Item]) -> None:
        self._found: dict[str, Item | None] = {}
        for name, item in items.items():
            parts = name.split("/")
            ends = {"/".join(parts[place:]) for place in range(max(1, len(parts) - 1))}
            for end in ends | {posixpath.splitext(end)[0] for end in ends}:
                self._found[end] = None if end in self._found else item

    def __call__(self, text: str) -> Item | None:
        name = posixpath.normpath(text.replace("\\", "/")) if text else ""
        parts = name.split("/")
        ends = ("/".join(parts[place:]) for place in range(max(1, len(parts) - 1)))
        return next((item for end in ends if (item := self._found.get(end)) is not None), None)


def _candidates(root: Path) -> Iterator[Path]:
    for place in (root, *(path for path in sorted(root.iterdir()) if path.name.lower() in FOLDERS and path.is_dir())):
        inside = [path for path in sorted(place.iterdir()) if path.suffix.lower() in TEXT_TYPES and path.is_file()]
        if len(inside) <= MANY:
            yield from (path for path in inside if not path.name.startswith("."))


def _rows(path: Path) -> Iterator[Row]:
    """The rows of a list that is called like a split, or of a table with splits; none if it is neither."""
    split = _split_in(path.stem)
    try:
        if split is not None:
            for line in decode(read_bytes(path, LIST_BYTES))[0].splitlines():
                text = line.strip()
                name, _, label = text.rpartition(" ")
                if name and not is_picture(text):
                    yield split, name.strip(), label
                elif text:
                    yield split, text, ""
            return
        table = open_table(path)
        columns = find_columns(table, Files(path.parent), unlabelled=True)
        if columns.split is None and not columns.flags:
            return
        named = columns.classname or columns.label or ""
        splits = row_splits(table, columns.split, columns.flags)
    except (DataError, OSError, ValueError):
        return
    for of, (_, cells) in zip(splits, table.rows, strict=True):
        yield of, cells.get(columns.image, ""), cells.get(named, "")


def _split_in(stem: str) -> str | None:
    words = stem.lower().replace("-", "_").replace(".", "_").split("_")
    found = {split for word in words if (split := split_word(word))}
    return found.pop() if len(found) == 1 else None


def _splits(rows: dict[str, list[Row]], find: _Finder) -> tuple[dict[str, tuple[Item, ...]], str]:
    """The images of each split, and why they are not clear; empty if they are."""
    of: dict[str, str] = {}
    pairs: set[tuple[int, str]] = set()
    splits: dict[str, dict[str, Item]] = {}
    for path, found in rows.items():
        for split, name, label in found:
            item = find(name)
            if item is None:
                return {}, f"{path} names '{name[:80]}', which is not there"
            if of.setdefault(item.name, split) != split:
                return {}, f"{item.name} is in {of[item.name]} and in {split}"
            splits.setdefault(split, {})[item.name] = item
            pairs |= {(item.label, label)} if label else set()
    if len(pairs) > len({label for _, label in pairs}) or len(pairs) > len({one for one, _ in pairs}):
        return {}, "its classes are not those of the folders"
    if "train" not in splits or len(splits) < 2:
        return {}, "it does not name train and another split"
    classes = {split: {item.label for item in part.values()} for split, part in splits.items()}
    if classes["train"] != set().union(*classes.values()):
        return {}, "some classes have no image in train"
    order = [split for split in ("train", "val", "test") if split in splits]
    return {
        split: tuple(sorted(splits[split].values(), key=lambda item: (item.label, item.name))) for split in order
    }, ""
