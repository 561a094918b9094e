"""The export of an annotation tool in a folder, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dapt.data.items import ImageSet, Item, check_classes
from dapt.data.read.divide import divide
from dapt.data.read.exports.base import EVERY, Export, Reader
from dapt.data.read.exports.coco import read_coco
from dapt.data.read.exports.named import refuse_named
from dapt.data.read.exports.voc import TITLE as VOC
from dapt.data.read.exports.voc import read_voc
from dapt.data.read.exports.yolo import read_yolo
from dapt.data.read.tree import Tree
from dapt.errors import DataError

READERS: tuple[Reader, ...] = (read_coco, read_yolo, read_voc)
READ = "annotations, which are read"
UNNAMED = "not in the annotations"


def read_export(tree: Tree, photos: Sequence[str], masks: dict[str, str]) -> ImageSet | None:
    """The data that an export describes; None if there is none.

    Photographs that show one class each become data like any other; where some show several, all of them count.

    Args:
        photos: in `tree`, without masks. masks: those beside the photographs.

    Raises:
        DataError: it is damaged, or of a kind that is not read.
    """
    for reader in READERS:
        export = reader(tree, photos)
        if export is not None:
            return _image_set(export.with_used_classes(), tree, photos, masks)
    error = refuse_named(tree, photos)
    if error is not None:
        raise error
    return None


def _image_set(export: Export, tree: Tree, photos: Sequence[str], masks: dict[str, str]) -> ImageSet:
    if not export.names:
        raise DataError(f"The {export.title} export {tree.top} names no class of any photo.")
    root: Path = tree.top
    rows = export.rows()
    items = {
        split: tuple(
            Item(root / name, label, name, root / masks[name] if name in masks else None, labels=labels)
            for name, label, labels in part
        )
        for split, part in rows.items()
    }
    used = {name for part in rows.values() for name, _, _ in part}
    unused = {reason: list(names) for reason, names in tree.unused.items()}
    read = set(export.files)
    unused = {reason: [name for name in names if name not in read] for reason, names in unused.items()}
    unused[READ] = export.files
    unused[UNNAMED] = [name for name in photos if name not in used]
    remarks = list(export.remarks)
    if masks:
        remarks.append(f"{len(masks)} masks of photos serve as the data's own masks.")
    elif export.outlines:
        remarks.append(f"What is annotated in {len(export.outlines)} photos serves as their masks, drawn when needed.")
    several = "several classes per photo" if export.multi_label else "one class per photo"
    return check_classes(
        ImageSet(
            root.resolve().name,
            root,
            tuple(name.replace("_", " ") for name in export.names),
            divide(items[EVERY]) if EVERY in items else items,
            multi_label=export.multi_label,
            mask_format="labels" if export.title == VOC else None,
            layout=f"{export.title} export, {several}",
            divided=EVERY in items,
            unused={reason: tuple(names) for reason, names in sorted(unused.items()) if names},
            guessed=tuple(remarks),
            outlines={name: tuple(found) for name, found in export.outlines.items() if name in used and found},
        )
    )
