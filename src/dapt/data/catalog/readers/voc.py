"""Pascal VOC 2012, whose images show several classes."""

from __future__ import annotations

from pathlib import Path

from dapt.data.catalog.base import Dataset, Place, Reader, Request
from dapt.data.catalog.listing import present
from dapt.data.items import ImageSet, Item
from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import read_text, reason

LISTS = Path("ImageSets") / "Main"
# Pascal's names in alphabetical order, and how they read.
CLASSES = {
    name: {"diningtable": "dining table", "pottedplant": "potted plant", "tvmonitor": "tv monitor"}.get(name, name)
    for name in (
        *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
        *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
    )
}
SPLITS = {"train": "train", "test": "val"}  # the labels of the official test images are not public


class VocReader(Reader):
    """Lists ``<class>_<train|val>.txt`` with "<image id> 1|0|-1": shown, shown but difficult, not shown.

    An image has all classes that it shows for certain. Difficult ones are ignored, images without any class left out.
    """

    rule = "the official lists; their val is the test split, and there is no val"

    def read(self, dataset: Dataset, place: Place, request: Request) -> ImageSet:
        """All images of the lists that show at least one class, in the order of the lists."""
        shown = {split: _labels(place.images.parent / LISTS, official, dataset) for split, official in SPLITS.items()}
        names = tuple(CLASSES.values())
        rows = {
            split: [(f"{image}.jpg", labels[0], names[labels[0]]) for image, labels in images.items() if labels]
            for split, images in shown.items()
        }
        kept = present(rows, dataset, place.images, request)
        items = {
            split: tuple(
                Item(place.images / path, label, dataset.image_name(path), labels=tuple(shown[split][path[:-4]]))
                for path, label, _ in part
            )
            for split, part in kept.items()
        }
        return ImageSet(dataset.name, place.root, names, items, multi_label=True)

    def listed(self, dataset: Dataset, place: Place, request: Request) -> dict[str, int]:
        """Images in the lists, with those that are left out."""
        folder = place.images.parent / LISTS
        return {split: len(_labels(folder, official, dataset)) for split, official in SPLITS.items()}


def _labels(folder: Path, official: str, dataset: Dataset) -> dict[str, list[int]]:
    """Labels by image id, from the list of each class."""
    shown: dict[str, list[int]] = {}
    for label, name in enumerate(CLASSES):
        path = folder / f"{name}_{official}.txt"
        again = f"Run 'dapt data download {dataset.name}'; the lists come with the images."
        try:
            lines = read_text(path, LIST_BYTES).splitlines()
        except FileNotFoundError:
            raise DataError(f"The list {path} of {dataset.title} is missing.", todo=again) from None
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path} cannot be read: {reason(error)}.", todo=again) from error
        for number, line in enumerate(lines, start=1):
            words = line.split()
            if not words:
                continue
            if len(words) != 2 or words[1] not in ("1", "0", "-1") or "/" in words[0]:
                raise DataError(f"{path}, line {number}: '{line.strip()[:60]}' is not 'ID 1', 'ID 0' or 'ID -1'.")
            labels = shown.setdefault(words[0], [])
            if words[1] == "1":
                labels.append(label)
    return shown
