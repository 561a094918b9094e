"""Data sets divided by CoOp's split files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dapt.console import warn
from dapt.data.catalog.base import Dataset, Download, Place, Reader, Request
from dapt.data.catalog.listing import image_tree, present
from dapt.data.catalog.places import companions, find_beside
from dapt.data.items import ImageSet, Item
from dapt.data.read.folder import divide
from dapt.data.read.split_json import SPLIT_NAMES, class_names, read_split_json
from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import read_bytes

# In whatever command the error shows, it names an option that there is.
OWN_SPLIT = "with --own-split, which 'dapt train', 'dapt eval' and 'dapt masks' have"
_warned: set[Path] = set()


@dataclass(frozen=True)
class SplitFileReader(Reader):
    """Reads images, labels, class names and splits from a split file.

    Attributes:
        file: name of the split file. class_of: class name from the path of an image, None for images that do not
            belong; used to divide the images anew. None: the paths do not tell the class, so that is impossible.
    """

    file: str
    class_of: Callable[[str], str | None] | None = None
    rule: str = "CoOp's split file"

    def read(self, dataset: Dataset, place: Place, request: Request) -> ImageSet:
        """All images that the split file names, in its order.

        A warning tells once that it is not the published file; `dapt data verify` reports that itself.
        """
        path = find_beside(self.file, companions(dataset, place, request.root))
        if path is None:
            return self._divide(dataset, place, request)
        splits = read_split_json(path)
        if request.absent is None and path not in _warned and is_published(path, dataset) is False:
            _warned.add(path)
            warn(f"{path} is not the published split file: figures will not compare with others'.")
        names = [name.replace("_", " ") for name in class_names(splits)]
        kept = present(splits, dataset, place.images, request)
        items = {
            split: tuple(Item(place.images / image, label, dataset.image_name(image)) for image, label, _ in rows)
            for split, rows in kept.items()
        }
        return ImageSet(dataset.name, place.root, tuple(names), items)

    def _divide(self, dataset: Dataset, place: Place, request: Request) -> ImageSet:
        """A split of our own, by class: 50% train, 20% val, 30% test."""
        command = f"Run 'dapt data download {dataset.name}"
        get = f"{command} --only split'"
        if not request.own_split:
            raise DataError(
                f"The split file {self.file} of {dataset.title} is missing in {_beside(dataset, place)}.",
                todo=get + (f", or divide the images anew {OWN_SPLIT}." if self.class_of else "."),
            )
        if self.class_of is None:
            raise DataError(
                f"{dataset.title} cannot be divided anew: its paths do not tell the class of an image.", todo=get + "."
            )
        found = [(image, self.class_of(image)) for image in image_tree(place.images)]
        rows = [(image.rpartition("/")[0], name, image) for image, name in found if name is not None]
        order = sorted({(folder, name) for folder, name, _ in rows})
        labels = {key: label for label, key in enumerate(order)}
        if not rows:
            raise DataError(f"There are no images of {dataset.title} under {place.images}.", todo=f"{command}'.")
        warn(f"{dataset.title}: {self.file} is missing, the images are divided anew; results compare with no others.")
        items = tuple(
            Item(place.images / image, labels[folder, name], dataset.image_name(image)) for folder, name, image in rows
        )
        names = tuple(name.replace("_", " ") for _, name in order)
        return ImageSet(dataset.name, place.root, names, divide(items), own_split=True, divided=True)


def is_published(path: Path, dataset: Dataset) -> bool | None:
    """Whether a split file has the published rows; None where no published file is known.

    The known sum is of the file. The published files are as `json.dump` writes them with four spaces, so the same rows
    in another serialisation are written again like that.

    Raises:
        DataError: the file cannot be read.
    """
    sums = {
        source.checksum.removeprefix("sha256:")
        for source in dataset.sources
        if isinstance(source, Download) and source.what == "split" and source.checksum.startswith("sha256:")
    }
    if not sums or not dataset.reader.file:
        return None
    try:
        content = read_bytes(path, LIST_BYTES)
        if hashlib.sha256(content).hexdigest() in sums:
            return True
        table = json.loads(content.decode("utf-8-sig"))
        rows = {split: table[split] for split in SPLIT_NAMES}
    except OSError as error:
        raise DataError(f"The split file {path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError, LookupError, TypeError):  # no split file of this kind at all
        return False
    again = json.dumps(rows, indent=4, separators=(",", ": "))
    return hashlib.sha256(again.encode()).hexdigest() in sums


def _beside(dataset: Dataset, place: Place) -> Path:
    """Where CoOp puts the split file."""
    return place.images.parent if place.layout.images else place.root


def folder_class(path: str) -> str | None:
    """The class is the folder of the image."""
    return path.rpartition("/")[0] or None


def renamed(table: dict[str, str], dropped: frozenset[str] = frozenset()) -> Callable[[str], str | None]:
    """`folder_class` with other names for some folders and without others."""

    def class_of(path: str) -> str | None:
        name = folder_class(path)
        return None if name is None or name in dropped else table.get(name, name)

    return class_of
