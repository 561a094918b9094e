"""YOLO: one text file per photograph, a line per object that begins with the number of its class.

The label of ``images/train/a.jpg`` is ``labels/train/a.txt`` (Ultralytics); Darknet keeps both in one folder. Names
stand in the ``names`` of a YAML file, in ``classes.txt`` or in a ``.names`` file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from dapt.data.outlines import Outline
from dapt.data.read.exports.base import Export, some, split_in_path, unique_names
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.limits import LIST_BYTES, MIB
from dapt.regular import read_text, reason

TITLE = "YOLO"
NAME_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt", "labels.txt")
ENOUGH = 0.5  # of the text files in folders called labels belong to photographs, so that they are YOLO's


def read_yolo(tree: Tree, photos: Sequence[str]) -> Export | None:
    """The export, if photographs have text files with labels; None if not.

    Raises:
        DataError: a label file is damaged, or the names of the classes are not there.
    """
    texts = {name for name, _ in tree.others() if name.lower().endswith(".txt")}
    found = {photo: label for photo in photos if (label := _label_file(photo, texts)) is not None}
    names_file, names = _names(tree)
    if not found or (not names and len(found) < ENOUGH * len(photos)):
        return None
    lines = {photo: _objects_in(tree.top / label, label) for photo, label in found.items()}
    if all(objects is None for objects in lines.values()):
        return None  # texts beside the photographs that are no labels
    bad = sorted(found[photo] for photo, objects in lines.items() if objects is None)
    if bad:
        raise DataError(
            f"{tree.top} seems to be a YOLO export, but some label files do not have lines of a class number and "
            f"coordinates: {some(bad)}.",
            todo="Export the data again.",
        )
    if not names:
        raise DataError(
            f"{tree.top} is a YOLO export without the names of its classes.",
            todo="Add the data.yaml of the export, with a line 'names: [cat, dog]', or a classes.txt.",
        )
    most = max((number for objects in lines.values() for number, _ in objects or ()), default=0)
    if most >= len(names):
        raise DataError(
            f"{tree.top}: a label file names class {most}, but {names_file} has {len(names)} names (0 to "
            f"{len(names) - 1}).",
            todo="Add the missing names.",
        )
    export = Export(
        TITLE, unique_names(names, TITLE), files=[*sorted(found.values()), *([names_file] if names_file else [])]
    )
    without = 0
    for photo in photos:
        objects = lines.get(photo) or []
        export.shown[photo] = tuple(sorted({number for number, _ in objects}))
        if objects:
            export.outlines[photo] = [outline for _, outline in objects]
        without += not export.shown[photo]
        split = split_in_path(photo)
        if split:
            export.splits[photo] = split
    if without:
        export.remarks.append(f"{without} photos have no object, so they have no class.")
    return export


def _label_file(photo: str, texts: set[str]) -> str | None:
    stem = photo.rpartition(".")[0]
    parts = stem.split("/")
    for place in range(len(parts) - 2, -1, -1):
        if parts[place].lower() in ("images", "image", "imgs", "img"):
            for other in ("labels", "label", "Labels"):
                name = "/".join([*parts[:place], other, *parts[place + 1 :]]) + ".txt"
                if name in texts:
                    return name
    beside = f"{stem}.txt"
    return beside if beside in texts else None


def _objects_in(path: Path, name: str) -> list[tuple[int, Outline]] | None:
    """Class and place of each object in a label file; None if it is none."""
    try:
        lines = read_text(path, MIB).splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"The label file {name} cannot be read: {reason(error)}.") from error
    objects: list[tuple[int, Outline]] = []
    for line in filter(str.strip, lines):
        words = line.split()
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            return None
        if len(words) < 5 or numbers[0] < 0 or numbers[0] != int(numbers[0]):
            return None
        objects.append((int(numbers[0]), _outline(numbers[1:])))
    return objects


def _outline(numbers: list[float]) -> Outline:
    """A box by its centre and size, maybe with more numbers behind it, or a polygon; in shares of the picture."""
    if len(numbers) < 6 or len(numbers) % 2:
        x, y, width, height = numbers[:4]
        return Outline("box", (x - width / 2, y - height / 2, x + width / 2, y + height / 2), (1, 1))
    return Outline("polygon", tuple(numbers), (1, 1))


def _names(tree: Tree) -> tuple[str, list[str]]:
    """The file with the class names, and them."""
    others = sorted((name for name, _ in tree.others()), key=lambda name: (name.count("/"), name))
    for name in others:
        if name.lower().endswith((".yaml", ".yml")):
            names = _names_in_yaml(tree.top / name)
            if names:
                return name, names
    for name in others:
        if name.rpartition("/")[2].lower() in NAME_FILES or name.lower().endswith(".names"):
            lines = [line.strip() for line in read_text(tree.top / name, MIB).splitlines()]
            return name, [line for line in lines if line]
    return "", []


def _names_in_yaml(path: Path) -> list[str]:
    try:
        content = yaml.safe_load(read_text(path, LIST_BYTES))
    except (OSError, ValueError, yaml.YAMLError):
        return []
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and sorted(names, key=str) == sorted(range(len(names)), key=str):
        names = [names[number] for number in range(len(names))]
    return [str(name) for name in names] if isinstance(names, list) else []
