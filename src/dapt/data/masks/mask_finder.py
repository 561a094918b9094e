"""Which mask files belong to which image.

The formats of single files go with a folder that mirrors the images' relative paths: a mask is called as its image,
with any extension (``a.png`` or ``a.jpg.png`` for ``a.jpg``). In a folder without sub-folders all masks lie side by
side. Other names are given as a pattern (`dapt.mask_pattern`). The two collections have rules of their own:

- ``dapt``, masks of the released DAPT code: ``mask/<last two path components>``, ``mask/<file name>`` or a longer end
  of the path, depending on the data set.
- ``foreground``, the masked collection of FVG-PT: ``ROOT/mask/<image path relative to ROOT>``, where ROOT is the data
  set's outer or inner folder.

Both are covered by one rule: the longest end of the absolute image path that exists in the folder.
"""

from __future__ import annotations

import os
import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path

from dapt.config import MaskFormat
from dapt.data.items import Item
from dapt.data.masks.mask_files import MASK_TYPES, two_masks
from dapt.errors import DataError
from dapt.mask_pattern import check_pattern, filled
from dapt.strict import nfc

COLLECTIONS: tuple[MaskFormat, ...] = ("dapt", "foreground")

FEW = 32  # names that are compared with a pattern one by one
PIECE = 6  # letters of names by which the others are found


class SharedMaskError(DataError):
    """One mask file would serve two images."""


class MaskFinder:
    """Mask files in a folder by image. Each sub-folder is listed once, when an image first asks for it.

    Args:
        folder: ``--masks``. kind: ``--mask-format``, which decides the rule. name: ``--mask-name``; None: masks are
            called as the images.

    Raises:
        ConfigError: `name` is no pattern.
    """

    def __init__(self, folder: Path, kind: MaskFormat, name: str | None = None) -> None:
        self.folder = folder
        self.name = None if name is None else check_pattern(name)
        self._top = str(folder)
        self._by_path_end = kind in COLLECTIONS and name is None
        self._listed: dict[str, dict[str, list[str]]] = {}
        self._ends_of: dict[str, list[str]] = {}
        self._absolutes: dict[str, str] = {}
        self._sorted: dict[str, list[str]] = {}
        self._forms: dict[str, dict[str, str]] = {}
        self._pieces: dict[tuple[str, int], dict[str, list[int]]] = {}
        self._flat: bool | None = None

    def find(self, item: Item) -> tuple[Path, ...]:
        """The mask files of an image: several only where a pattern fits several; none where there is none.

        Raises:
            DataError: two files could be it, or it is the image itself.
        """
        return tuple(self.folder / name for name in self._find(item))

    def check(self, items: Iterable[Item]) -> None:
        """Look all images up.

        Raises:
            DataError: as `find`. SharedMaskError: one mask file would serve two images.
        """
        owner: dict[str, Item] = {}
        for item in items:
            for path in self._find(item):
                if owner.setdefault(path, item).path != item.path:
                    raise SharedMaskError(
                        f"The images {owner[path].name} and {item.name} would share the mask {self.folder / path}.",
                        todo="Keep masks in the folders of their images, or rename them, or write a --mask-name that "
                        "tells them apart, for example {parent}_{stem}.png.",
                    )

    def _find(self, item: Item) -> list[str]:
        """The masks' paths relative to the folder. There are a million images, so paths are text here."""
        image_folder, image_name = os.path.split(item.path)
        if self.name is not None:
            return self._by_pattern(self.name, item, image_folder, image_name)
        for head, name in self._places(item, image_folder, image_name):
            listed = self._list(head)
            name = self._as_listed(name, head)
            stem, suffix = posixpath.splitext(name)
            suffixes = listed.get(stem, [])
            if self._by_path_end and suffix in suffixes:
                suffixes = [suffix]
            else:
                suffixes = [other for other in suffixes if other.lower() in MASK_TYPES]
            files = [stem + other for other in sorted(suffixes)]
            if not self._by_path_end:
                files += [name + other for other in sorted(listed.get(name, [])) if other.lower() in MASK_TYPES]
            if len(files) > 1:
                raise two_masks(self.folder / head / files[0], self.folder / head / files[1])
            if files:
                self._check_other(item, image_folder, image_name, head, files[0])
                return [posixpath.join(head, files[0])]
        return []

    def _as_listed(self, name: str, head: str) -> str:
        """The name with its stem in the Unicode form in which a sub-folder has it; as it is where it has none."""
        stem, suffix = posixpath.splitext(name)
        if stem.isascii() or stem in self._list(head):
            return name
        if head not in self._forms:
            forms: dict[str, str] = {}
            for other in self._list(head):
                forms.setdefault(nfc(other), other)
            self._forms[head] = forms
        return self._forms[head].get(nfc(stem), stem) + suffix

    def _by_pattern(self, pattern: str, item: Item, image_folder: str, image_name: str) -> list[str]:
        """The files that a pattern names: in the image's own sub-folder, else in the folder itself."""
        inside, parts = filled(pattern, item.name)
        own = posixpath.split(item.name)[0]
        for head in dict.fromkeys((posixpath.join(own, inside), inside)):
            found = [posixpath.join(head, name) for name in self._fitting(head, parts)]
            others = [path for path in found if not self._is_image(path, image_folder, image_name)]
            if found and not others:
                self._check_other(item, image_folder, image_name, head, posixpath.basename(found[0]))
            if others:
                return sorted(others)
        return []

    def _fitting(self, head: str, parts: list[str]) -> list[str]:
        """The mask files of a sub-folder whose names, with or without their extension, have these parts in order."""
        if len(parts) == 1:
            stem, suffix = posixpath.splitext(parts[0])
            listed = self._list(head)
            named = [stem + suffix] if suffix in listed.get(stem, []) and suffix.lower() in MASK_TYPES else []
            more = [parts[0] + other for other in listed.get(parts[0], []) if other.lower() in MASK_TYPES]
            return [*named, *more]
        form = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
        return [
            name
            for name in self._holding(head, parts)
            if form.fullmatch(name) or form.fullmatch(posixpath.splitext(name)[0])
        ]

    def _holding(self, head: str, parts: list[str]) -> list[str]:
        """Few mask files of a sub-folder, among them all whose names have these parts: a folder may hold a million."""
        names = self._names(head)
        first = bisect_left(names, parts[0])
        if first + FEW >= len(names) or not names[first + FEW].startswith(parts[0]):
            return names[first : first + FEW]
        pieces = [
            part[start : start + length]
            for part in parts
            if (length := min(PIECE, len(part)))
            for start in range(len(part) - length + 1)
        ]
        if not pieces:
            return names
        there = (self._pieces_of(head, len(piece)).get(piece, []) for piece in pieces)
        return [names[place] for place in min(there, key=len)]

    def _pieces_of(self, head: str, length: int) -> dict[str, list[int]]:
        """The pieces of so many letters in the names of a sub-folder's mask files, and the places of these names."""
        if (head, length) not in self._pieces:
            found: dict[str, list[int]] = {}
            for place, name in enumerate(self._names(head)):
                for piece in {name[start : start + length] for start in range(len(name) - length + 1)}:
                    found.setdefault(piece, []).append(place)
            self._pieces[head, length] = found
        return self._pieces[head, length]

    def _names(self, head: str) -> list[str]:
        """The mask files of a sub-folder, sorted."""
        if head not in self._sorted:
            self._sorted[head] = sorted(
                stem + suffix
                for stem, suffixes in self._list(head).items()
                for suffix in suffixes
                if suffix.lower() in MASK_TYPES
            )
        return self._sorted[head]

    def _is_image(self, path: str, image_folder: str, image_name: str) -> bool:
        head, file = posixpath.split(path)
        return file == image_name and self._same(posixpath.join(self._top, head), image_folder)

    def _check_other(self, item: Item, image_folder: str, image_name: str, head: str, file: str) -> None:
        if self._is_image(posixpath.join(head, file), image_folder, image_name):
            raise DataError(
                f"The mask found for {item.path} is that image itself.",
                todo="Check --masks; masks beside the images need a --mask-name, for example {stem}_mask.png.",
            )

    def _places(self, item: Item, image_folder: str, image_name: str) -> Iterator[tuple[str, str]]:
        """Where to look, in order: sub-folder and file name."""
        if self._by_path_end:
            for end in self._ends(image_folder):
                yield end, image_name
            return
        head, name = os.path.split(item.name)
        yield head, name
        if head and self._is_flat():
            yield "", name

    def _is_flat(self) -> bool:
        """Whether the folder has no sub-folders, so that all masks lie side by side."""
        if self._flat is None:
            try:
                with os.scandir(self.folder) as entries:
                    self._flat = not any(entry.is_dir() for entry in entries if not entry.name.startswith((".", "__")))
            except OSError:
                self._flat = False
        return self._flat

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


def own_or_found(item: Item, finder: MaskFinder | None) -> tuple[Path, ...]:
    """The masks of an image in the finder's folder, or the data set's own when there is no finder."""
    if finder is not None:
        return finder.find(item)
    return () if item.mask is None else (item.mask,)
