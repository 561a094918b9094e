"""Which mask file belongs to which image, and whether a folder of masks is read in the right format.

The formats ``binary``, ``labels`` and ``trimap`` go with a folder that mirrors the images' relative paths. The two
collections have rules of their own:

- ``dapt``, masks of the released DAPT code: ``mask/<last two path components>``, ``mask/<file name>`` or a longer end
  of the path, depending on the data set.
- ``foreground``, the masked collection of FVG-PT: ``ROOT/mask/<image path relative to ROOT>``, where ROOT is the data
  set's outer or inner folder.

Both are covered by one rule: the longest end of the absolute image path that exists in the folder.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from dapt.config import MaskFormat
from dapt.data.items import Item
from dapt.data.mask_files import MASK_TYPES, foreground_of, misread, read_values, two_masks
from dapt.errors import DataError

COLLECTIONS: tuple[MaskFormat, ...] = ("dapt", "foreground")
BLANK_SHARE = 0.95
FEW = 3
SAMPLE = 20


class MaskFinder:
    """Mask files in a folder by image. Each sub-folder is listed once, when an image first asks for it.

    Args:
        folder: ``--masks``. kind: ``--mask-format``, which decides the rule.
    """

    def __init__(self, folder: Path, kind: MaskFormat) -> None:
        self.folder = folder
        self._by_path_end = kind in COLLECTIONS
        self._listed: dict[str, dict[str, list[str]]] = {}
        self._ends_of: dict[str, list[str]] = {}

    def find(self, item: Item) -> Path | None:
        """The mask of an image, or None.

        Raises:
            DataError: two files could be it, or it is the image itself.
        """
        for head, name in self._places(item):
            stem, suffix = posixpath.splitext(name)
            suffixes = self._list(head).get(stem, [])
            if self._by_path_end and suffix in suffixes:
                suffixes = [suffix]
            else:
                suffixes = [other for other in suffixes if other.lower() in MASK_TYPES]
            if len(suffixes) > 1:
                first, second = (self.folder / head / (stem + other) for other in sorted(suffixes)[:2])
                raise two_masks(first, second)
            if suffixes:
                return self._checked(self.folder / head / (stem + suffixes[0]), item)
        return None

    def check(self, items: Iterable[Item]) -> None:
        """Look all images up.

        Raises:
            DataError: as `find`, or one mask file would serve two images.
        """
        owner: dict[Path, Item] = {}
        for item in items:
            path = self.find(item)
            if path is not None and owner.setdefault(path, item).path != item.path:
                raise DataError(
                    f"The images {owner[path].name} and {item.name} would share the mask {path}.",
                    todo="Their file names are the same: keep masks in the folders of their images, or rename them.",
                )

    def _places(self, item: Item) -> Iterator[tuple[str, str]]:
        """Where to look, in order: sub-folder and file name."""
        if not self._by_path_end:
            yield os.path.split(item.name)
            return
        head, name = os.path.split(_absolute(item.path))
        for end in self._ends(head):
            yield end, name

    def _ends(self, folder: str) -> list[str]:
        """The ends of a folder's path that exist as sub-folders, the longest first, and the top folder."""
        if folder not in self._ends_of:
            parts = Path(folder).parts[1:]
            ends = ["/".join(parts[start:]) for start in range(len(parts))]
            self._ends_of[folder] = [*filter(self._list, ends), ""]
        return self._ends_of[folder]

    def _list(self, head: str) -> dict[str, list[str]]:
        """The files of a sub-folder: name without extension to extensions. Empty if there is no such folder."""
        if head not in self._listed:
            files: dict[str, list[str]] = {}
            try:
                with os.scandir(self.folder / head) as entries:
                    for entry in entries:
                        stem, suffix = posixpath.splitext(entry.name)
                        files.setdefault(stem, []).append(suffix)
            except (FileNotFoundError, NotADirectoryError):
                files = {}
            self._listed[head] = files
        return self._listed[head]

    def _checked(self, path: Path, item: Item) -> Path:
        if _absolute(path) == _absolute(item.path):
            raise DataError(f"The mask found for {path} is that image itself.", todo="Check --masks.")
        return path


def _absolute(path: Path) -> str:
    """The absolute path by name only: an image folder may be a link to another disk."""
    return os.path.normpath(path.absolute())


def own_or_found(item: Item, finder: MaskFinder | None) -> Path | None:
    """The mask of an image in the finder's folder, or the data set's own when there is no finder."""
    return item.mask if finder is None else finder.find(item)


@dataclass
class MaskCounts:
    """What became of the masks that could be read.

    Attributes:
        read: their number. empty, full: without foreground, or without background. misread: see `misread`.
    """

    read: int = 0
    empty: int = 0
    full: int = 0
    misread: int = 0

    @property
    def wrong_format(self) -> bool:
        """Whether at least 95% have no foreground or no background to speak of, so that the format must be wrong.

        Fewer than three masks are let through if one of them is usable.
        """
        some_usable = self.empty + self.full < self.read
        if self.read == 0 or (self.read < FEW and some_usable):
            return False
        return self.empty + self.full + self.misread >= BLANK_SHARE * self.read


def check_convention(
    counts: MaskCounts, items: Sequence[Item], folder: Path | None, kind: MaskFormat, *, fixed: bool = False
) -> None:
    """Refuse masks that were read in another collection's format.

    Args:
        counts: of these items' masks. folder: ``--masks``; None: the data set's own masks.
        kind: the format in which they were read. fixed: the data set says so, and ``--mask-format`` has no effect.

    Raises:
        DataError: see `MaskCounts.wrong_format`; the message names the formats that would do.
    """
    if not counts.wrong_format:
        return
    blank = counts.empty + counts.full + counts.misread
    kinds = f"{counts.empty} empty, {counts.full} full"
    if counts.misread:
        kinds += f", {counts.misread} with mostly other values than the format has"
    raise DataError(
        f"{blank} of {counts.read} masks are of no use when they are read as '{kind}': {kinds}.",
        where=str(folder) if folder else "the data set's own masks",
        todo=_advice(items, folder, kind, fixed),
    )


def _advice(items: Sequence[Item], folder: Path | None, kind: MaskFormat, fixed: bool) -> str:
    if fixed:
        return "That is the format this data set brings: get its masks again, or use --cue gradcam."
    better = formats_that_fit(items, folder, kind)
    if not better:
        return "No other --mask-format makes sense of them either: look at the masks."
    return f"Most of them have a foreground and a background with --mask-format {' or '.join(better)}."


def formats_that_fit(items: Sequence[Item], folder: Path | None, kind: MaskFormat) -> list[MaskFormat]:
    """Formats other than `kind` under which most masks of a sample are found and neither empty nor full.

    The sample is of images that have a mask under `kind`; of all images, if none has.
    """
    finder = MaskFinder(folder, kind) if folder else None
    having = [item for item in items if own_or_found(item, finder) is not None] or items
    sample = having[:: max(1, len(having) // SAMPLE)][:SAMPLE]
    return [other for other in get_args(MaskFormat) if other != kind and _fits(sample, folder, other)]


def _fits(items: Sequence[Item], folder: Path | None, kind: MaskFormat) -> bool:
    finder = MaskFinder(folder, kind) if folder else None
    return sum(_plausible(item, finder, kind) for item in items) > len(items) / 2


def _plausible(item: Item, finder: MaskFinder | None, kind: MaskFormat) -> bool:
    try:
        path = own_or_found(item, finder)
        if path is None:
            return False
        values = read_values(path, kind)
    except DataError:
        return False
    mask = foreground_of(values, kind)
    if kind == "trimap" and (values.min() < 1 or values.max() > 3):
        return False  # a label map whose first object has the number 1
    return bool(mask.any()) and not bool(mask.all()) and not misread(values, mask, kind)
