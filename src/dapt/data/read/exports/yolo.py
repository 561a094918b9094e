"""YOLO: one text file per photograph, a line per object that begins with the number of its class.

The label of ``images/train/a.jpg`` is ``labels/train/a.txt`` (Ultralytics); Darknet keeps both in one folder. Names
stand in the ``names`` of a YAML file, in ``classes.txt`` or in a ``.names`` file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dapt.data.outlines import Outline
from dapt.data.read.exports.agree import most
from dapt.data.read.exports.base import Asked, Export, unique_names
from dapt.data.read.exports.lists import take_splits
from dapt.data.read.exports.yolo_about import about
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.limits import MIB
from dapt.regular import read_text, reason
from dapt.wording import some

TITLE = "YOLO"
ENOUGH = 0.5  # of the text files in folders called labels belong to photographs, so that they are YOLO's
BEYOND = 1.05  # a share of the picture above is none: outlines may pass its edge a little
SHARES = (1.0, 1.0)

Line = tuple[int, tuple[float, ...]]  # number of the class, and the numbers behind it


def read_yolo(tree: Tree, photos: Sequence[str], asked: Asked) -> Export | None:
    """The export, if photographs have text files with labels; None if not.

    Raises:
        DataError: a label file is damaged, the names of the classes are not there, or a photograph is in two splits.
    """
    texts = {name for name, _ in tree.others() if name.lower().endswith(".txt")}
    found = {photo: label for photo in photos if (label := _label_file(photo, texts)) is not None}
    if not found or not (asked.sure or most(found, photos)):
        return None
    said = about(tree)
    names = said.names
    if not names and asked.sure and len(found) < ENOUGH * len(photos):
        return None
    lines = {photo: lines_in(tree.top / label, label) for photo, label in found.items()}
    if not any(lines.values()) and (not asked.sure or None in lines.values()):
        return None  # texts beside the photographs that are no labels
    bad = sorted(found[photo] for photo, each in lines.items() if each is None)
    if bad and not names and not asked.sure:
        return None
    if bad:
        raise DataError(
            f"{tree.top} seems to be a YOLO export, but some label files do not have lines of a class number and "
            f"coordinates: {some(bad)}.",
            todo="Export the data again.",
        )
    objects = {photo: each for photo, each in lines.items() if each}
    if not names and not asked.sure:
        return _by_number(objects)
    if not names:
        raise without_names(tree)
    _check_numbers(objects, names, said.file, tree)
    keypoints = said.keypoints or have_keypoints([line for each in objects.values() for line in each])
    outlines = {photo: [outline_of(values, keypoints) for _, values in each] for photo, each in objects.items()}
    beyond = [photo for photo, each in objects.items() if any(is_beyond(values, keypoints) for _, values in each)]
    if beyond:
        raise DataError(
            f"{len(beyond)} label files of the YOLO export {tree.top} hold coordinates that are no shares of the "
            f"picture, from 0 to 1, as if they were pixels: {some(sorted(found[photo] for photo in beyond))}.",
            todo="Export them normalised, or as COCO or Pascal VOC, which hold pixels.",
        )
    export = Export(TITLE, _named(names), files=sorted({*found.values(), said.file}))
    for photo in photos:
        export.shown[photo] = tuple(sorted({number for number, _ in objects.get(photo, ())}))
        if photo in outlines:
            export.outlines[photo] = outlines[photo]
    take_splits(export, tree, photos, said.places)
    without = sum(not labels for labels in export.shown.values())
    if without:
        export.remarks.append(f"{without} photos have no object, so they have no class.")
    return export


def without_names(tree: Tree) -> DataError:
    """The refusal of an export that numbers classes and does not name them."""
    return DataError(
        f"{tree.top} is a YOLO export without the names of its classes.",
        todo="Add the data.yaml of the export, with a line 'names: [cat, dog]', or a classes.txt.",
    )


def _by_number(objects: Mapping[str, Sequence[Line]]) -> Export:
    """An export that has no names: of the numbers in use."""
    used = sorted({number for each in objects.values() for number, _ in each})
    place = {number: label for label, number in enumerate(used)}
    shown = {photo: tuple(sorted({place[number] for number, _ in each})) for photo, each in objects.items()}
    return Export(TITLE, [str(number) for number in used], shown, unnamed=True)


def _check_numbers(objects: Mapping[str, Sequence[Line]], names: Sequence[str], file: str, tree: Tree) -> None:
    used = {number for each in objects.values() for number, _ in each}
    if max(used, default=0) >= len(names):
        raise DataError(
            f"{tree.top}: a label file names class {max(used)}, but {file} has {len(names)} names (0 to "
            f"{len(names) - 1}).",
            todo="Add the missing names.",
        )
    blank = [number for number in sorted(used) if not names[number].strip()]
    if blank:
        raise DataError(
            f"{tree.top}: {file} has no name for class {blank[0]}, which is its line {blank[0] + 1}.",
            todo="Write the name there; lines count from class 0 on, the blank ones too.",
        )


def _named(names: Sequence[str]) -> list[str]:
    """The names; a class that has none, and no photograph, by its number."""
    unique_names([name for name in names if name.strip()], TITLE)
    return [name if name.strip() else f"(class {number})" for number, name in enumerate(names)]


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


def lines_in(path: Path, name: str) -> list[Line] | None:
    """The lines of a label file; None if it is none.

    Raises:
        DataError: it cannot be opened.
    """
    try:
        lines = read_text(path, MIB).splitlines()
    except OSError as error:
        raise DataError(f"The label file {name} cannot be read: {reason(error)}.") from error
    except ValueError:
        return None
    found: list[Line] = []
    for line in filter(str.strip, lines):
        try:
            numbers = [float(word) for word in line.split()]
        except ValueError:
            return None
        if len(numbers) < 5 or not all(map(math.isfinite, numbers)):
            return None
        if numbers[0] < 0 or numbers[0] != int(numbers[0]):
            return None
        found.append((int(numbers[0]), tuple(numbers[1:])))
    return found


def is_box(numbers: Sequence[float], keypoints: bool) -> bool:
    """Whether the first four are a centre and a size, maybe with more numbers behind them, and not all are corners."""
    return keypoints or len(numbers) < 6 or len(numbers) % 2 == 1


def outline_of(numbers: Sequence[float], keypoints: bool) -> Outline:
    """A box or a polygon, in shares of the picture."""
    if is_box(numbers, keypoints):
        x, y, width, height = numbers[:4]
        return Outline("box", (x - width / 2, y - height / 2, x + width / 2, y + height / 2), SHARES)
    return Outline("polygon", tuple(numbers), SHARES)


def is_beyond(numbers: Sequence[float], keypoints: bool) -> bool:
    places = numbers[:4] if is_box(numbers, keypoints) else numbers
    return max(places) > BEYOND or min(places) < 1 - BEYOND


def have_keypoints(lines: Sequence[Line]) -> bool:
    """Whether all lines are boxes with as many points behind them, which lie within the box or are not seen.

    A line of a polygon would have to begin with two corners that, taken for a box, hold all the others.
    """
    if len({len(values) for _, values in lines}) != 1 or len(lines[0][1]) < 6:
        return False
    return any(
        (len(lines[0][1]) - 4) % step == 0 and all(_points_within(values, step) for _, values in lines)
        for step in (3, 2)
    )


def _points_within(values: Sequence[float], step: int) -> bool:
    x, y, width, height = values[:4]
    points: Iterable[Sequence[float]] = (values[at : at + step] for at in range(4, len(values), step))
    for point in points:
        if step == 3 and point[2] not in (0, 1, 2):
            return False
        inside = abs(point[0] - x) <= width * 0.55 and abs(point[1] - y) <= height * 0.55
        if not inside and (point[0], point[1]) != (0, 0):
            return False
    return True
