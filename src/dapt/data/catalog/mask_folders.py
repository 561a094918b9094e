"""Foreground masks of catalog data: those of the masked collection, and those a data set brings itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from dapt.config import MaskFormat
from dapt.data.catalog.base import Dataset, Place, Request
from dapt.data.catalog.listing import Listing, split_name
from dapt.data.catalog.places import companions, find_beside
from dapt.data.items import ImageSet, Item

MASKS = "mask"
# The extension of a mask may differ from its image's. dapt.data.masks.mask_files has the same list, but imports torch.
MASK_TYPES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def collection_masks(dataset: Dataset, place: Place, root: Path) -> Path | None:
    """The folder of masks that mirrors the image folder, None if there is none.

    The masked collection (FVG-PT, arXiv 2603.08708) keeps the mask of ``OUTER/<path>`` at ``OUTER/mask/<path>``. OUTER
    is the outer folder by its code and the next one by a comment in its code, and archives of masks alone may bring
    OUTER, ``mask`` or both along. So ``mask`` is looked for in every folder above the images, in every layout, and in
    it the image folder with as many of the folders above it as fit, most first.
    """
    outers = list(dict.fromkeys(PurePosixPath(layout.folder).parts[0] for layout in dataset.layouts))
    tops = ["", MASKS, *outers, *(f"{outer}/{MASKS}" for outer in outers)]
    tails = _tails(dataset, place, root)
    for folder in companions(dataset, place, root):
        if not (folder / MASKS).is_dir():
            continue
        for tail in tails:
            for top in tops:
                found = folder / MASKS / top / tail
                if found.is_dir() and _holds(found, place):
                    return found
    return None


def _tails(dataset: Dataset, place: Place, root: Path) -> list[str]:
    """The image folder of each layout with 0, 1, 2, ... of the folders above it, the longest first."""
    paths = [PurePosixPath(layout.folder) / layout.images for layout in dataset.layouts]
    paths.append(PurePosixPath(place.images.relative_to(root).as_posix()))
    tails: set[str] = set()
    for path, layout in zip(paths, [*dataset.layouts, place.layout], strict=True):
        depth = len(PurePosixPath(layout.images).parts)
        tails.update("/".join(path.parts[start:]) for start in range(1, len(path.parts) - depth + 1))
    return sorted(tails, key=lambda tail: (-len(PurePosixPath(tail).parts), tail))


def _holds(folder: Path, place: Place) -> bool:
    return not place.layout.holds or any((folder / name).is_dir() for name in place.layout.holds)


def with_masks(data: ImageSet, dataset: Dataset, place: Place, request: Request) -> ImageSet:
    """The data with the masks that are there; those of the masked collection come before the data set's own.

    Raises:
        DataError: two files could be the mask of an image.
    """
    folder = collection_masks(dataset, place, request.root)
    kind: MaskFormat | None = "binary"
    own = False
    if folder is None and dataset.own_masks is not None:
        folder = find_beside(dataset.own_mask_folder, companions(dataset, place, request.root))
        kind, own = dataset.own_masks, True
    if folder is None:
        return data
    masks = _Masks(folder)

    def masked(item: Item) -> Item:
        path = dataset.image_path(item.name)
        found = masks.find(path.rpartition("/")[2] if own else path)
        return item if found is None else replace(item, mask=found)

    done: dict[int, tuple[Item, ...]] = {}  # ImageNet's val and test are the same tuple, and stay so
    for items in data.splits.values():
        if id(items) not in done:
            done[id(items)] = tuple(masked(item) for item in items)
    found = replace(data, splits={split: done[id(items)] for split, items in data.splits.items()})
    return replace(found, mask_format=kind) if found.has_masks else data


class _Masks:
    """Mask files by the path of their image; the image's own extension comes before others."""

    def __init__(self, folder: Path) -> None:
        self._listing = Listing(folder)
        self._stems: dict[str, dict[str, list[str]]] = {}

    def find(self, path: str) -> Path | None:
        """The mask of an image.

        Raises:
            DataError: two files of other extensions could be it.
        """
        folder, _, name = path.rpartition("/")
        if folder not in self._stems:
            self._stems[folder] = self._by_stem(folder)
        files = self._stems[folder].get(split_name(name)[0], [])
        if name in files:
            files = [name]
        if len(files) > 1:
            from dapt.data.masks.mask_files import two_masks

            raise two_masks(self._listing.top / folder / files[0], self._listing.top / folder / files[1])
        return self._listing.top / folder / files[0] if files else None

    def _by_stem(self, folder: str) -> dict[str, list[str]]:
        stems: dict[str, list[str]] = {}
        for file in sorted(self._listing.names(folder)):
            stem, extension = split_name(file)
            if file[0] != "." and extension in MASK_TYPES:
                stems.setdefault(stem, []).append(file)
        return stems
