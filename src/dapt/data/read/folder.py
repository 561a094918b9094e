"""Data from folders: one sub-folder per class, optionally under train/, val/ and test/."""

from __future__ import annotations

from pathlib import Path

from dapt.data.fewshot import split_off_validation
from dapt.data.items import ImageSet, Item, check_classes
from dapt.data.read.walk import files_below, sub_folders
from dapt.errors import DataError

IMAGE_TYPES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm"}
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}

# Folders without their own splits are divided like CoOp divides such data sets: 50 / 20 / 30 per class.
TEST_SHARE, VAL_SHARE = 0.3, 0.2
SPLIT_SEED = 0


def read_folder(root: Path) -> ImageSet:
    """Read a folder of photos. Classes are the sub-folder names in sorted order, underscores as spaces.

    Without train/val/test folders the images of each class are divided once, reproducibly, into 50% train,
    20% val and 30% test. With any of those folders, the splits are exactly what is there.

    Raises:
        DataError: no sub-folders, a class without images, classes that differ between splits, or a folder that
            cannot be read.
    """
    splits = {
        SPLITS[path.name.lower()]: path
        for path in sub_folders(root)
        if path.name.lower() in SPLITS and sub_folders(path)
    }
    found = {split: _classes(folder) for split, folder in splits.items()} if splits else {"all": _classes(root)}
    names = sorted(found["train"] if "train" in found else {name for classes in found.values() for name in classes})
    if not names:
        raise DataError(f"{root} has no class folders.", todo="Put the photos of each class in one sub-folder.")
    labels = {name: label for label, name in enumerate(names)}
    items: dict[str, tuple[Item, ...]] = {}
    for split, classes in found.items():
        unknown = sorted(set(classes) - set(names))
        if unknown:
            raise DataError(
                f"{splits[split]} has the class '{unknown[0]}', which the training folder does not have.",
                todo="Use the same class folders in every split.",
            )
        items[split] = tuple(
            Item(path, labels[name], path.relative_to(root).as_posix())
            for name in sorted(classes)
            for path in classes[name]
        )
    shown = tuple(name.replace("_", " ") for name in names)
    splits_of = divide(items["all"]) if "all" in items else items
    return check_classes(ImageSet(root.resolve().name, root, shown, splits_of, divided="all" in items))


def _classes(folder: Path) -> dict[str, list[Path]]:
    classes: dict[str, list[Path]] = {}
    for sub in sub_folders(folder):
        images = files_below(sub, _is_image)
        if not images:
            raise DataError(
                f"The class folder {sub} holds no image.",
                todo=f"Add photos ({', '.join(sorted(IMAGE_TYPES))}) or remove the folder.",
            )
        classes[sub.name] = images
    return classes


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_TYPES and not path.name.startswith(".")


def divide(items: tuple[Item, ...]) -> dict[str, tuple[Item, ...]]:
    """Divide images reproducibly into train, val and test, class by class."""
    splits = {"train": items}
    for split, share in (("test", TEST_SHARE), ("val", VAL_SHARE / (1 - TEST_SHARE))):
        source = splits["train"]
        kept, taken = split_off_validation([item.label for item in source], share, SPLIT_SEED)
        splits[split] = tuple(source[position] for position in sorted(taken))
        splits["train"] = tuple(source[position] for position in sorted(kept))
    return splits
