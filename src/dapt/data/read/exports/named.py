"""Exports that are recognised and not read: they are refused by their name, with what to export instead."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dapt.data.read.decoding import decode
from dapt.data.read.kinds import is_leftover
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import open_regular, read_text

WAY_OUT = (
    "Export it as class folders ('folder structure', 'ImageNet'), or as COCO, YOLO or Pascal VOC, which are read; or "
    "name the classes in a CSV with the columns image and classname."
)
MANY = 50  # files of a kind that are opened
_HEAD = 2000  # bytes, which hold the columns of a table
_COLUMNS = (
    ({"pixelvalue", "class"}, "a semantic segmentation export of Roboflow, whose masks have a number for each class"),
    ({"imageid", "source", "labelname", "confidence"}, "a part of Open Images, with its labels or boxes in CSV files"),
)
_OF_LABEL_STUDIO = ({"annotations", "data"}, {"annotator", "annotation_id"}, {"annotator", "lead_time"})


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
    title = title or _title_of_json([tree.top / name for name in names if name.lower().endswith(".json")])
    return _refusal(tree.top, title) if title else None


def refuse_tables(folder: Path) -> None:
    """Refuse a folder whose tables, in it or in its folders, have the columns of an export that is not read.

    Raises:
        DataError: naming it.
    """
    for file in _files(folder, ".csv"):
        columns = _columns(file)
        title = next((title for wanted, title in _COLUMNS if wanted <= columns), "")
        if title:
            raise _refusal(folder, title)


def refuse_tasks(folder: Path) -> None:
    """Refuse a folder in which a JSON file, which would be a table, is one of an annotation tool.

    Raises:
        DataError: naming it.
    """
    title = _title_of_json(list(_files(folder, ".json")))
    if title:
        raise _refusal(folder, title)


def _refusal(folder: Path, title: str) -> DataError:
    return DataError(f"{folder} is {title}, which is not read.", todo=WAY_OUT)


def _files(folder: Path, ending: str) -> Iterator[Path]:
    """The first files with an ending in a folder and in its folders."""
    left = MANY
    try:
        with os.scandir(folder) as entries:
            inside = sorted(entry.name for entry in entries if entry.is_dir() and not is_leftover(entry.name))
        for name in ["", *inside[:MANY]]:
            with os.scandir(folder / name) as entries:
                found = sorted(entry.name for entry in entries if entry.name.lower().endswith(ending))
            for file in [file for file in found if not is_leftover(file)][:left]:
                left -= 1
                yield folder / name / file
    except OSError:  # which whoever lists the folder tells
        return


def _columns(file: Path) -> set[str]:
    try:
        with open_regular(file) as opened:
            head = opened.read(_HEAD)
        line = decode(head[: head.rfind(b"\n") + 1] or head)[0].partition("\n")[0]
    except (OSError, ValueError):
        return set()
    return {column.strip(' "\r').lower().replace(" ", "") for column in line.replace(";", ",").split(",")}


def _title_of_json(files: Sequence[Path]) -> str:
    for file in files[:MANY]:
        try:
            content: Any = json.loads(read_text(file, LIST_BYTES))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(content, list) and content and isinstance(content[0], dict):
            if any(keys <= set(content[0]) for keys in _OF_LABEL_STUDIO):
                return f"a Label Studio export ({file.name})"
        elif isinstance(content, dict):
            rows = content.get("annotations")
            first = rows[0] if isinstance(rows, list) and rows else None
            if "images" in content and isinstance(first, dict) and "caption" in first:
                return f"an export of captions in the form of COCO ({file.name}), without classes"
    return ""
