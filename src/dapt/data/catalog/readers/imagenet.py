"""ImageNet and the sets that test its classifiers: one folder per class."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dapt.console import warn
from dapt.data.catalog.base import Dataset, Manual, Place, Reader, Request
from dapt.data.catalog.listing import class_folders, image_files
from dapt.data.catalog.readers.class_names_file import read_class_names
from dapt.data.items import ImageSet, Item
from dapt.errors import DataError
from dapt.wording import some

SHOWN = 10
_WNID = re.compile(r"n\d{8}")


class ImageNetReader(Reader):
    """Folders ``train/<wnid>`` and ``val/<wnid>``; the label is the rank of the wnid, val serves as val and as test.

    Images of a class are in sorted order. The released codes take them as the file system lists them, so no list of
    few-shot images is published that could be repeated.
    """

    rule = "folders train and val; val serves for validation and for test, as in the field"
    val_is_test = True

    def read(self, dataset: Dataset, place: Place, request: Request) -> ImageSet:
        """All images; without a folder ``train`` those of ``val`` only."""
        names = read_class_names(dataset, place, request)
        wnids = list(names)
        val = self._scan("val", wnids, dataset, place)
        train: tuple[Item, ...] = ()
        if (place.images / "train").is_dir():
            train = self._scan("train", wnids, dataset, place)
        else:
            warn(f"{dataset.title}: there is no folder {place.images / 'train'}; it can be tested on, not trained on.")
        return ImageSet(dataset.name, place.root, tuple(names.values()), {"train": train, "val": val, "test": val})

    def _scan(self, split: str, wnids: Sequence[str], dataset: Dataset, place: Place) -> tuple[Item, ...]:
        folder = place.images / split
        check_folders(class_folders(folder), wnids, folder, dataset)
        return scan(folder, wnids, dataset, f"{split}/")


@dataclass(frozen=True)
class VariantReader(Reader):
    """A test set with one folder per class; it has no training images, so train and val are empty.

    Attributes:
        by_number: the folders are called 0 to 999, the label. Otherwise they are wnids in sorted order.
        some: the set shows only some of the classes, numbered anew; the classifier chooses among these only.
    """

    by_number: bool = False
    some: bool = False
    rule: str = "all images are test images"

    def read(self, dataset: Dataset, place: Place, request: Request) -> ImageSet:
        """All images, as test images."""
        names = read_class_names(dataset, place, request)
        folders = [str(number) for number in range(len(names))] if self.by_number else list(names)
        found = class_folders(place.images)
        if self.some:
            known = [wnid for wnid in found if wnid in names]
            check_folders([wnid for wnid in found if _WNID.fullmatch(wnid)], known, place.images, dataset)
            if len(known) != dataset.classes:
                raise DataError(
                    f"{place.images} has {len(known)} class folders, {dataset.title} has {dataset.classes}.",
                    todo=_again(dataset),
                )
            folders = known
            shown = tuple(names[wnid] for wnid in known)
        else:
            check_folders(found, folders, place.images, dataset)
            shown = tuple(names.values())
        return ImageSet(dataset.name, place.root, shown, {"test": scan(place.images, folders, dataset, "")})


def check_folders(found: Sequence[str], expected: Sequence[str], folder: Path, dataset: Dataset) -> None:
    """Compare class folders with the expected ones; others that do not look like a class are not minded.

    Raises:
        DataError: class folders are missing (labels would shift), or there are unknown classes.
    """
    missing = sorted(set(expected) - set(found))
    if missing:
        text = f"{len(missing)} of {len(expected)} class folders are missing under {folder}: {some(missing, SHOWN)}."
        loose = image_files(folder)
        if loose:
            raise DataError(
                f"{text} {len(loose)} images lie directly in {folder}.",
                todo="Archives do not always sort them: sort them into one folder per class, of those names.",
            )
        raise DataError(text, todo=_again(dataset))
    unknown = sorted(name for name in set(found) - set(expected) if _WNID.fullmatch(name))
    if unknown:
        raise DataError(
            f"Class folders under {folder} that classnames.txt does not name: {len(unknown)} ({some(unknown, SHOWN)}).",
            todo="Remove them, or get CoOp's classnames.txt.",
        )


def scan(folder: Path, classes: Sequence[str], dataset: Dataset, before: str) -> tuple[Item, ...]:
    """The images in the class folders, by class, then by name; the label is the place in `classes`.

    Raises:
        DataError: a class folder has no images.
    """
    items: list[Item] = []
    empty: list[str] = []
    for label, name in enumerate(classes):
        inside = folder / name
        files = image_files(inside)
        if not files:
            empty.append(name)
        top = dataset.image_name(before + name)
        items += [Item(inside / file, label, f"{top}/{file}") for file in files]
    if empty:
        raise DataError(
            f"Class folders without images under {folder}: {len(empty)} ({some(empty, SHOWN)}).", todo=_again(dataset)
        )
    return tuple(items)


def _again(dataset: Dataset) -> str:
    by_hand = all(isinstance(source, Manual) for source in dataset.sources if source.what == "images")
    if by_hand:
        return f"Unpack the archive again, then run 'dapt data verify {dataset.name}'."
    return f"Run 'dapt data download {dataset.name} --only images --force', then 'dapt data verify {dataset.name}'."
