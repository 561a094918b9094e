"""Pascal VOC: one XML file per photograph, with a name per object (Everingham et al., IJCV 2010).

They lie in ``Annotations/`` beside ``JPEGImages/``, or in the folder of the photographs (Roboflow, LabelImg). The lists
in ``ImageSets/Main/`` tell the splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from dapt.data.outlines import Outline
from dapt.data.read.exports.base import Export, some, split_in_path
from dapt.data.read.split_names import split_of
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.limits import LIST_BYTES, MIB
from dapt.regular import read_text, reason

TITLE = "Pascal VOC"


def read_voc(tree: Tree, photos: Sequence[str]) -> Export | None:
    """The export, if photographs have XML files of VOC; None if not.

    Raises:
        DataError: such a file is damaged, or there are the folders of VOC but no annotation.
    """
    files = {name for name, _ in tree.others() if name.lower().endswith(".xml")}
    by_stem: dict[str, list[str]] = {}
    for name in files:
        by_stem.setdefault(_stem(name), []).append(name)
    found = {photo: file for photo in photos if (file := _xml_of(photo, files, by_stem)) is not None}
    if not found:
        if any(_top(photo) == "JPEGImages" for photo in photos):
            raise DataError(
                f"{tree.top} has the folders of Pascal VOC (JPEGImages), but no Annotations/*.xml, so the classes of "
                "the photos are not known.",
                todo="Export it with its annotations, or name the classes in a CSV with the columns image and "
                "classname; segmentations serve as masks with --masks FOLDER --mask-format labels.",
            )
        return None
    named = {photo: _objects(tree.top / file) for photo, file in found.items()}
    if not any(named.values()):
        return None
    names = sorted({name for objects in named.values() for name, _ in objects})
    number = {name: label for label, name in enumerate(names)}
    export = Export(TITLE, names, files=sorted(found.values()))
    lists = _lists(tree)
    for photo in photos:
        objects = named.get(photo, [])
        export.shown[photo] = tuple(sorted({number[name] for name, _ in objects}))
        boxes = [box for _, box in objects if box is not None]
        if boxes:
            export.outlines[photo] = boxes
        split = split_in_path(photo) or lists.get(_stem(photo))
        if split:
            export.splits[photo] = split
    without = sum(not labels for labels in export.shown.values())
    if without:
        export.remarks.append(f"{without} photos have no object, so they have no class.")
    return export


def _xml_of(photo: str, files: set[str], by_stem: dict[str, list[str]]) -> str | None:
    beside = f"{photo.rpartition('.')[0]}.xml"
    if beside in files:
        return beside
    same = by_stem.get(_stem(photo), [])
    return same[0] if len(same) == 1 else None


def _objects(path: Path) -> list[tuple[str, Outline | None]]:
    """Name and box of each object in a file; none if it is no annotation."""
    try:
        top = ElementTree.fromstring(read_text(path, MIB))
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise DataError(f"{path} cannot be read: {reason(error)}.", todo="Export the data again.") from error
    if top.tag != "annotation":
        return []
    size = _numbers(top.find("size"), "width", "height") or (0.0, 0.0)
    objects: list[tuple[str, Outline | None]] = []
    for each in top.iter("object"):
        name = (each.findtext("name") or "").strip()
        box = _numbers(each.find("bndbox"), "xmin", "ymin", "xmax", "ymax")
        if name:
            whole = box is not None and min(size) > 0
            objects.append((name, Outline("box", tuple(box), (size[0], size[1])) if box and whole else None))
    return objects


def _numbers(element: ElementTree.Element | None, *names: str) -> tuple[float, ...] | None:
    """The numbers in the parts of an element of these names; None where one is missing."""
    if element is None:
        return None
    try:
        return tuple(float(element.findtext(name) or "") for name in names)
    except ValueError:
        return None


def _lists(tree: Tree) -> dict[str, str]:
    """The split of each photograph by the lists of VOC; ``trainval`` counts where there is no ``train``."""
    found: dict[str, str] = {}
    for name in sorted(name for name, _ in tree.others()):
        folder, _, file = name.rpartition("/")
        if folder.endswith("ImageSets/Main") and file.endswith(".txt"):
            split = split_of(file.removesuffix(".txt"))
            if split:
                try:
                    lines = read_text(tree.top / name, LIST_BYTES).split("\n")
                except (OSError, ValueError) as error:
                    raise DataError(f"{name} cannot be read: {reason(error)}.") from error
                for line in filter(str.strip, lines):
                    stem = line.split()[0]
                    if found.setdefault(stem, split) != split:
                        raise DataError(
                            f"{stem} is in two splits of {tree.top / folder}: {some([found[stem], split])}."
                        )
    return found


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]


def _top(name: str) -> str:
    return name.split("/")[-2] if "/" in name else ""
