"""Data from folders: one sub-folder per class, optionally under train/, val/ and test/."""

from __future__ import annotations

from pathlib import Path

from dapt.data.items import UNLABELLED, ImageSet, Item, check_classes
from dapt.data.read.beside import ORPHANS, Parted, part_masks
from dapt.data.read.class_names import class_order, in_one_form, said_of_order
from dapt.data.read.divide import divide as divide
from dapt.data.read.exports.find import read_export, read_export_over_folders
from dapt.data.read.kinds import IMAGE_TYPES as IMAGE_TYPES
from dapt.data.read.layout import Layout, recognise, tree_of
from dapt.data.read.mask_classes import check_mask_classes
from dapt.data.read.split_names import SPLITS as SPLITS
from dapt.data.read.tree import Tree, follow_splits_and_classes, look_through
from dapt.errors import DataError

LONELY = "masks of photos that are not used"


def read_folder(root: Path, *, skip_bad: bool = False) -> ImageSet:
    """Read a folder of photos. Classes are the sub-folder names in sorted order (numbers as
    numbers), underscores as spaces.

    Without split folders the images of each class are divided once, reproducibly, into 50% train, 20% val and 30%
    test. With any, the splits are exactly what is there. `dapt.data.read.layout` says which layouts are recognised,
    `dapt.data.read.beside` which masks; whatever is not used stands in `ImageSet.unused`.

    Args:
        skip_bad: see `dapt.data.read.exports.find.read_export`.

    Raises:
        DataError: no sub-folders, a class without images, classes that differ between splits, a layout that can be
            understood in two ways, or a folder that cannot be read.
    """
    tree = look_through(root, follow_splits_and_classes)
    parted = part_masks(tree.pictures, root)
    if not parted.photos:
        raise _nothing(root, tree)
    try:
        layout = _layout(root, tree, parted)
    except DataError:
        exported = read_export(tree, parted, skip_bad=skip_bad)
        if exported is None:
            raise
        return exported
    if sum(map(len, layout.splits.values())) <= len(layout.splits):  # one class, or none
        exported = read_export(tree, parted, skip_bad=skip_bad)
        if exported is not None:
            return exported
    elif exported := read_export_over_folders(tree, parted, layout.splits.values(), skip_bad=skip_bad):
        return exported
    for classes in layout.splits.values():
        check_mask_classes(classes, root)
    splits = {
        split: in_one_form(classes, root / layout.folders.get(split, "")) for split, classes in layout.splits.items()
    }
    names = class_order(splits["train"] if "train" in splits else {name for each in splits.values() for name in each})
    labels = {name: label for label, name in enumerate(names)}
    items: dict[str, tuple[Item, ...]] = {}
    for split, classes in splits.items():
        unknown = sorted(set(classes) - set(names))
        if unknown:
            raise DataError(
                f"{root / layout.folders.get(split, '')} has the class '{unknown[0]}', which the training folder does "
                "not have.",
                todo=_same_but_for_case(unknown[0], names) or "Use the same class folders in every split.",
            )
        rows = [(path, labels[name]) for name in sorted(classes) for path in classes[name]]
        items[split] = tuple(_item(root, path, label, parted.masks) for path, label in rows)
    for split, paths in layout.unlabelled.items():
        items[split] = tuple(_item(root, path, UNLABELLED, parted.masks) for path in paths)
    lonely = _masks_of_unused(parted, items)
    shown = tuple(name.replace("_", " ") for name in names)
    splits_of = divide(items["all"]) if "all" in items else items
    return check_classes(
        ImageSet(
            root.resolve().name,
            root,
            shown,
            splits_of,
            layout=layout.words,
            unused=_unused(tree, parted.unused, layout.unused, lonely),
            divided="all" in items,
            guessed=(
                *layout.remarks,
                *said_of_order(names),
                *_of_masks(parted.how, len(parted.masks) - len(lonely.get(LONELY, []))),
                *parted.remarks,
            ),
        )
    )


def _layout(root: Path, tree: Tree, parted: Parted) -> Layout:
    masks = sorted(set(parted.masks.values()).union(*parted.unused.values()))
    others = [*tree.others(), *((mask, ORPHANS) for mask in masks)]
    return recognise(tree_of(parted.photos, tree.folders, others), str(root))


def _item(root: Path, path: str, label: int, masks: dict[str, str]) -> Item:
    mask = masks.get(path)
    return Item(root / path, label, path, None if mask is None else root / mask)


def _masks_of_unused(parted: Parted, items: dict[str, tuple[Item, ...]]) -> dict[str, list[str]]:
    used = {item.name for part in items.values() for item in part}
    lonely = [mask for photo, mask in parted.masks.items() if photo not in used]
    return {LONELY: sorted(lonely)} if lonely else {}


def _same_but_for_case(name: str, names: list[str]) -> str:
    close = next((other for other in names if other.casefold() == name.casefold()), None)
    return f"The training folder has '{close}': give both the same letters." if close else ""


def _unused(tree: Tree, *more: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    found = {reason: list(names) for reason, names in tree.unused.items()}
    for part in more:
        for reason, names in part.items():
            found.setdefault(reason, []).extend(names)
    return {reason: tuple(names) for reason, names in sorted(found.items()) if names}


def _of_masks(how: list[str], count: int) -> list[str]:
    if not count:
        return []
    return [f"{count} masks lie {' and '.join(how)}: they serve as the data's own masks and are no photos."]


def _nothing(root: Path, tree: Tree) -> DataError:
    unread = {reason: names for reason, names in tree.unused.items() if names}
    if tree.pictures:
        return DataError(f"All {len(tree.pictures)} pictures in {root} look like masks.", todo="Add their photos.")
    if not tree.folders and not unread:
        return DataError(f"{root} has no class folders.", todo="Put the photos of each class in one sub-folder.")
    holds = "; ".join(f"{len(names)} {reason}" for reason, names in unread.items())
    return DataError(
        f"{root} has no class folders with pictures that are read" + (f" (it holds {holds})." if holds else "."),
        todo="Put the photos of each class in one sub-folder.",
    )
