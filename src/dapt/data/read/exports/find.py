"""The export of an annotation tool in a folder, whichever it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dapt.data.items import ImageSet, Item, check_classes
from dapt.data.read.beside import Parted
from dapt.data.read.divide import divide
from dapt.data.read.exports.agree import export_wins, most, same_parts
from dapt.data.read.exports.base import EVERY, Asked, Export, Reader
from dapt.data.read.exports.coco import read_coco
from dapt.data.read.exports.named import refuse_named
from dapt.data.read.exports.voc import TITLE as VOC
from dapt.data.read.exports.voc import read_voc
from dapt.data.read.exports.yolo import read_yolo, without_names
from dapt.data.read.tree import Tree
from dapt.errors import DataError

READERS: tuple[Reader, ...] = (read_coco, read_yolo, read_voc)
READ = "with annotations"
UNNAMED = "not in the annotations"
UNLISTED = "in none of the lists of splits"
MASKS = "masks of photos that are not used"
TABLES = (".json", ".xml", ".txt")


def read_export(tree: Tree, parted: Parted, *, skip_bad: bool = False) -> ImageSet | None:
    """The data that an export describes, whose photographs lie in no class folders; None if there is none.

    Photographs that show one class each become data like any other; where some show several, all of them count.

    Args:
        parted: the pictures in `tree`. skip_bad: leave out photographs that it names and that are not there.

    Raises:
        DataError: it is damaged, or of a kind that is not read.
    """
    for reader in READERS:
        export = reader(tree, parted.photos, Asked(skip_bad=skip_bad))
        if export is not None:
            return _image_set(export, tree, parted, skip_bad)
    error = refuse_named(tree, parted.photos)
    if error is not None:
        raise error
    return None


def read_export_over_folders(
    tree: Tree, parted: Parted, classes: Iterable[Mapping[str, Iterable[str]]], *, skip_bad: bool = False
) -> ImageSet | None:
    """As `read_export`, where photographs lie in folders that may be classes; None where these are the classes.

    Args:
        classes: of each split, the photographs of each folder.

    Raises:
        DataError: folders and export disagree, see `dapt.data.read.exports.agree.export_wins`.
    """
    if not any(name.lower().endswith(TABLES) for name, _ in tree.others()):
        return None
    folders = {path: name for split in classes for name, paths in split.items() for path in paths}
    for reader in READERS:
        export = reader(tree, parted.photos, Asked(skip_bad=skip_bad, sure=False))
        if export is None or not most((name for name, labels in export.shown.items() if labels), parted.photos):
            continue
        if export.unnamed:
            if not same_parts(export, folders):
                raise without_names(tree)
            continue
        return _image_set(export, tree, parted, skip_bad) if export_wins(export, folders, tree) else None
    return None


def _image_set(export: Export, tree: Tree, parted: Parted, skip_bad: bool) -> ImageSet:
    export = export.without_absent(tree.top, skip_bad).with_used_classes()
    if not export.names:
        raise DataError(f"The {export.title} export {tree.top} names no class of any photo.")
    root: Path = tree.top
    rows = export.rows()
    masks = parted.masks
    items = {
        split: tuple(
            Item(root / name, label, name, root / masks[name] if name in masks else None, labels=labels)
            for name, label, labels in part
        )
        for split, part in rows.items()
    }
    used = {name for part in rows.values() for name, _, _ in part}
    own = [name for name in used if name in masks]
    drawn = {name: tuple(found) for name, found in export.outlines.items() if name in used and found}
    remarks = list(export.remarks)
    if own:
        remarks.append(f"{len(own)} masks of photos serve as the data's own masks.")
    if rest := len(set(drawn) - set(own)):
        remarks.append(f"What is annotated in {rest} photos serves as their masks, drawn when needed.")
    several = "several classes per photo" if export.multi_label else "one class per photo"
    return check_classes(
        ImageSet(
            root.resolve().name,
            root,
            tuple(name.replace("_", " ") for name in export.names),
            divide(items[EVERY]) if EVERY in items else items,
            multi_label=export.multi_label,
            mask_format="labels" if export.title == VOC and own else None,
            layout=f"{export.title} export, {several}",
            divided=EVERY in items,
            unused=_unused(export, tree, parted, used),
            guessed=tuple(remarks),
            outlines=drawn,
        )
    )


def _unused(export: Export, tree: Tree, parted: Parted, used: set[str]) -> dict[str, tuple[str, ...]]:
    """Every file there that is no photograph or mask in use, once, by its reason."""
    read = set(export.files)
    found = {reason: [name for name in names if name not in read] for reason, names in tree.unused.items()}
    left = [name for name in parted.photos if name not in used]
    more = {
        READ: sorted(read),
        UNNAMED: [name for name in left if name not in export.shown],
        UNLISTED: [name for name in left if name in export.shown],
        MASKS: [mask for photo, mask in parted.masks.items() if photo not in used],
        **parted.unused,
    }
    for reason, names in more.items():
        found.setdefault(reason, []).extend(names)
    return {reason: tuple(names) for reason, names in sorted(found.items()) if names}
