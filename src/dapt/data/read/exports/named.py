"""Exports that are recognised and not read: they are refused by their name, with what to export instead."""

from __future__ import annotations

from collections.abc import Sequence

from dapt.data.read.tree import Tree
from dapt.errors import DataError

WAY_OUT = (
    "Export it as class folders ('folder structure', 'ImageNet'), or as COCO, YOLO or Pascal VOC, which are read; or "
    "name the classes in a CSV with the columns image and classname."
)


def refuse_named(tree: Tree, photos: Sequence[str]) -> DataError | None:
    """The refusal of an export of a tool whose files are not read; None if it is none that is known."""
    names = [name for name, _ in tree.others()]
    last = {name.rpartition("/")[2].lower() for name in names}
    stems = {photo.rpartition(".")[0] for photo in photos}
    beside = [name for name in names if name.lower().endswith(".json") and name.rpartition(".")[0] in stems]
    beside += [name for name in names if name.lower().endswith(".json") and name.rpartition(".")[0] in set(photos)]
    title = ""
    if "_annotations.createml.json" in last or any(name.endswith("createml.json") for name in last):
        title = "a CreateML export"
    elif any(name.endswith(".tfrecord") for name in last):
        title = "a TensorFlow export (TFRecord)"
    elif "meta.json" in last and any("/ann/" in f"/{name}" for name in names):
        title = "a Supervisely export"
    elif "annotations.xml" in last:
        title = "a CVAT export ('CVAT for images')"
    elif any(name.startswith("via_") and name.endswith(".json") for name in last):
        title = "a VGG Image Annotator project"
    elif "_annotations.csv" in last:
        title = "a detection export with boxes in CSV files"
    elif beside and len(beside) >= len(photos) / 2:
        title = "a folder with one JSON file per photo, as LabelMe writes them"
    if not title:
        return None
    return DataError(f"{tree.top} is {title}, which is not read.", todo=WAY_OUT)
