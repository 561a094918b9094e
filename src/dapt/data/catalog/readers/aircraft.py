"""FGVC Aircraft: text files ``images_variant_{train,val,test}.txt`` with "<image id> <variant>" per line."""

from __future__ import annotations

from pathlib import Path

from dapt.data.catalog.base import Dataset, Place, Reader, Request
from dapt.data.catalog.listing import present
from dapt.data.catalog.places import companions, find_beside
from dapt.data.items import ImageSet, Item
from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import read_text, reason


class AircraftReader(Reader):
    """The official variants and their official division; the label is the line of ``variants.txt``."""

    rule = "the official lists images_variant_{train,val,test}.txt"

    def read(self, dataset: Dataset, place: Place, request: Request) -> ImageSet:
        """All images of the three lists, in their order."""
        folders = companions(dataset, place, request.root)
        variants, source = _lines("variants.txt", folders, dataset)
        labels = {name: label for label, name in enumerate(variants)}
        if len(labels) < len(variants):
            raise DataError(f"{source} names a variant twice.", todo=_again(dataset))
        rows: dict[str, list[tuple[str, int, str]]] = {}
        for split in ("train", "val", "test"):
            lines, path = _lines(f"images_variant_{split}.txt", folders, dataset)
            rows[split] = [_row(line, labels, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]
        kept = present(rows, dataset, place.images, request)
        items = {
            split: tuple(Item(place.images / image, label, dataset.image_name(image)) for image, label, _ in part)
            for split, part in kept.items()
        }
        return ImageSet(dataset.name, place.root, tuple(name.replace("_", " ") for name in variants), items)


def _lines(name: str, folders: list[Path], dataset: Dataset) -> tuple[list[str], Path]:
    path = find_beside(name, folders)
    if path is None:
        raise DataError(f"{name} of {dataset.title} is missing in {folders[0]}.", todo=_again(dataset))
    try:
        text = read_text(path, LIST_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {reason(error)}.", todo=_again(dataset)) from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError(f"{path} is empty.", todo=_again(dataset))
    return lines, path


def _row(line: str, labels: dict[str, int], where: str) -> tuple[str, int, str]:
    image, _, variant = line.partition(" ")  # the id stays text: it has leading zeros
    if not image.isdigit():
        raise DataError(f"{where}: '{image}' is not the number of an image.", todo="Get the file again.")
    if variant not in labels:
        raise DataError(f"{where}: the variant '{variant}' is not in variants.txt.", todo="Get the files again.")
    return f"{image}.jpg", labels[variant], variant


def _again(dataset: Dataset) -> str:
    return f"Run 'dapt data download {dataset.name}'; the lists come with the images."
