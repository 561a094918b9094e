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
from pathlib import Path, PurePosixPath
from typing import get_args

from dapt.config import MaskFormat
from dapt.data.items import Item
from dapt.data.masks.mask_files import MASK_TYPES, foreground_of, misread, read_values, two_masks
from dapt.errors import DataError

COLLECTIONS: tuple[MaskFormat, ...] = ("dapt", "foreground")
OWN_FORMATS: tuple[MaskFormat, ...] = ("trimap", "labels")  # of masks that belong to a catalog data set itself
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
        self._top = str(folder)
        self._by_path_end = kind in COLLECTIONS
        self._listed: dict[str, dict[str, list[str]]] = {}
        self._ends_of: dict[str, list[str]] = {}
        self._absolutes: dict[str, str] = {}

    def find(self, item: Item) -> Path | None:
        """The mask of an image, or None.

        Raises:
            DataError: two files could be it, or it is the image itself.
        """
        found = self._find(item)
        return None if found is None else self.folder / found

    def _find(self, item: Item) -> str | None:
        """The mask's path relative to the folder. There are a million images, so paths are text here."""
        image_folder, image_name = os.path.split(item.path)
        for head, name in self._places(item, image_folder, image_name):
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
                file = stem + suffixes[0]
                if file == image_name and self._same(posixpath.join(self._top, head), image_folder):
                    raise DataError(f"The mask found for {item.path} is that image itself.", todo="Check --masks.")
                return posixpath.join(head, file)
        return None

    def check(self, items: Iterable[Item]) -> None:
        """Look all images up.

        Raises:
            DataError: as `find`, or one mask file would serve two images.
        """
        owner: dict[str, Item] = {}
        for item in items:
            path = self._find(item)
            if path is not None and owner.setdefault(path, item).path != item.path:
                raise DataError(
                    f"The images {owner[path].name} and {item.name} would share the mask {self.folder / path}.",
                    todo="Their file names are the same: keep masks in the folders of their images, or rename them.",
                )

    def _places(self, item: Item, image_folder: str, image_name: str) -> Iterator[tuple[str, str]]:
        """Where to look, in order: sub-folder and file name."""
        if not self._by_path_end:
            yield os.path.split(item.name)
            return
        for end in self._ends(image_folder):
            yield end, image_name

    def _ends(self, folder: str) -> list[str]:
        """The ends of a folder's path that exist as sub-folders, the longest first, and the top folder."""
        if folder not in self._ends_of:
            parts = Path(self._absolute(folder)).parts[1:]
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

    def _same(self, first: str, second: str) -> bool:
        return self._absolute(first) == self._absolute(second)

    def _absolute(self, folder: str) -> str:
        """The absolute path by name only: an image folder may be a link to another disk."""
        if folder not in self._absolutes:
            self._absolutes[folder] = os.path.normpath(Path(folder).absolute())
        return self._absolutes[folder]


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
    counts: MaskCounts,
    items: Sequence[Item],
    folder: Path | None,
    kind: MaskFormat,
    *,
    own_kind: MaskFormat | None = None,
) -> None:
    """Refuse masks that were read in another collection's format.

    Args:
        counts: of these items' masks. folder: ``--masks``; None: the data set's own masks.
        kind: the format in which they were read. own_kind: the format of its own masks by the data set, with which
            ``--mask-format`` has no effect on them.

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
        todo=_advice(items, folder, kind, own_kind if folder is None else None),
    )


def _advice(items: Sequence[Item], folder: Path | None, kind: MaskFormat, own_kind: MaskFormat | None) -> str:
    if own_kind in OWN_FORMATS:
        return "That is the format this data set brings: get its masks again, or use --cue gradcam."
    beside = _folder_beside(items) if own_kind is not None else None
    better = formats_that_fit(items, beside or folder, kind)
    if not better:
        where = f" in {beside}" if beside else ""
        return f"No other --mask-format makes sense of them either: look at the masks{where}."
    option = f"--masks {beside} " if beside else ""
    return f"Most of them have a foreground and a background with {option}--mask-format {' or '.join(better)}."


def _folder_beside(items: Sequence[Item]) -> Path | None:
    """The folder in which the data set's own masks lie as the images do, by the first image that has one."""
    first = next((item for item in items if item.mask is not None), None)
    if first is None or first.mask is None:
        return None
    folder = first.mask.parent
    for part in reversed(PurePosixPath(first.name).parent.parts):
        if folder.name != part:
            break
        folder = folder.parent
    return folder


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
