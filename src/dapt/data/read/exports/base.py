"""What an export of an annotation tool says of its photographs, whichever tool wrote it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.data.items import UNLABELLED
from dapt.data.outlines import Outline
from dapt.data.read.decoding import decode
from dapt.data.read.split_names import split_of
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import read_bytes, reason
from dapt.wording import some

EVERY = "all"


@dataclass
class Export:
    """An export.

    Attributes:
        title: of the format. names: the classes. shown: classes of each photograph named in it, as numbers, none
            where it has no annotation. splits: the split of each of them, `EVERY` where there is none.
        outlines: of the objects in a photograph. files: the files that were read. remarks: what was left out.
        absent: photographs that are named and not there. unnamed: its classes have numbers alone.
    """

    title: str
    names: list[str]
    shown: dict[str, tuple[int, ...]] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    outlines: dict[str, list[Outline]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unnamed: bool = False

    def without_absent(self, top: Path, skip_bad: bool) -> Export:
        """The same, where the photographs that it names and that are not there may be left out, which is said.

        Raises:
            DataError: they may not, or none is there.
        """
        if self.absent and (not skip_bad or not self.shown):
            raise DataError(
                f"Photos that {some(self.files)} names are not in {top}: {len(self.absent)} ({some(self.absent)}).",
                todo="Put them there, export the data again with its photos, or pass --skip-bad to leave them out.",
            )
        if self.absent:
            self.remarks.append(
                f"{len(self.absent)} photos are named and not there, and left out: {some(self.absent)}."
            )
        return self

    @property
    def multi_label(self) -> bool:
        """Whether some photograph shows several classes."""
        return any(len(labels) > 1 for labels in self.shown.values())

    def rows(self) -> dict[str, list[tuple[str, int, tuple[int, ...]]]]:
        """By split: photograph, label, and all labels where photographs may show several."""
        found: dict[str, list[tuple[str, int, tuple[int, ...]]]] = {}
        several = self.multi_label
        for name in sorted(self.shown, key=lambda path: path.split("/")):
            labels = self.shown[name]
            row = (name, labels[0] if labels else UNLABELLED, labels if several else ())
            found.setdefault(self.splits.get(name, EVERY), []).append(row)
        if EVERY in found and len(found) > 1:  # photographs of no split
            del found[EVERY]
        return {split: found[split] for split in ("train", "val", "test", EVERY) if split in found}

    def with_used_classes(self) -> Export:
        """The same without the classes that no photograph shows, which is said."""
        used = sorted({label for labels in self.shown.values() for label in labels})
        if len(used) == len(self.names):
            return self
        gone = [name for label, name in enumerate(self.names) if label not in set(used)]
        number = {label: place for place, label in enumerate(used)}
        self.shown = {name: tuple(number[label] for label in labels) for name, labels in self.shown.items()}
        self.names = [self.names[label] for label in used]
        self.remarks.append(f"Classes without any photo are left out: {some(gone)}.")
        return self


@dataclass(frozen=True)
class Asked:
    """How an export is looked for.

    Attributes:
        skip_bad: leave out photographs that it names and that are not there, and count them.
        sure: the photographs lie in no class folders. Where they may, files that do not name most of the photographs
            are those of something else, whatever is wrong with them.
    """

    skip_bad: bool = False
    sure: bool = True


Reader = Callable[[Tree, Sequence[str], Asked], Export | None]


def split_in_path(path: str) -> str | None:
    """The split that one of the folders of a path is called like, the innermost first."""
    return next((split for part in reversed(path.split("/")[:-1]) if (split := split_of(part))), None)


def by_name(photos: Iterable[str]) -> dict[str, list[str]]:
    """Photographs by their file name alone."""
    found: dict[str, list[str]] = {}
    for path in photos:
        found.setdefault(path.rpartition("/")[2], []).append(path)
    return found


def read_json_file(path: Path, most: int = LIST_BYTES) -> Any:
    """The content of a JSON file of an export of up to `most` bytes, also in the encodings of Windows.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return json.loads(decode(read_bytes(path, most))[0])
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {reason(error)}.", todo="Export the data again.") from error


def unique_names(names: Sequence[str], title: str) -> list[str]:
    """Class names, if each is there once.

    Raises:
        DataError: two classes have the same name.
    """
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise DataError(f"Two classes of the {title} export are called '{twice[0]}'.", todo="Rename one of them there.")
    return list(names)


def merged(parts: Sequence[Mapping[int, str]]) -> list[str]:
    """Class names by number of several files, in the order of numbers, then of first sight."""
    names: list[str] = []
    for table in parts:
        for number in sorted(table):
            if table[number] not in names:
                names.append(table[number])
    return names
