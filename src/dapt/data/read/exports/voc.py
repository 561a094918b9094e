"""Pascal VOC: one XML file per photograph, with a name per object (Everingham et al., IJCV 2010).

They lie in ``Annotations/`` beside ``JPEGImages/``, or in the folder of the photographs (Roboflow, LabelImg). The lists
in ``ImageSets/Main/`` tell the splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from dapt.data.outlines import UNTOLD, Outline
from dapt.data.read.exports.agree import most
from dapt.data.read.exports.base import Asked, Export, split_in_path
from dapt.data.read.exports.coco_outlines import number_in
from dapt.data.read.exports.xml_file import read_xml_file
from dapt.data.read.split_names import split_of
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.limits import LIST_BYTES, MIB
from dapt.regular import read_text, reason
from dapt.wording import some

TITLE = "Pascal VOC"
AGAIN = "Export the data again."

Objects = list[tuple[str, Outline | None]]


def read_voc(tree: Tree, photos: Sequence[str], asked: Asked) -> Export | None:
    """The export, if photographs have XML files of VOC; None if not.

    Raises:
        DataError: such a file is damaged, or there are the folders of VOC but no annotation.
    """
    found = _xml_of(photos, [name for name, _ in tree.others() if name.lower().endswith(".xml")])
    if not asked.sure and not most(found, photos):
        return None
    if not found:
        if any(_above(photo)[-1:] == ["JPEGImages"] for photo in photos):
            raise DataError(
                f"{tree.top} has the folders of Pascal VOC (JPEGImages), but no Annotations/*.xml, so the classes of "
                "the photos are not known.",
                todo="Export it with its annotations, or name the classes in a CSV with the columns image and "
                "classname; segmentations serve as masks with --masks FOLDER --mask-format labels.",
            )
        return None
    try:
        named = {photo: _objects(tree.top / file) for photo, file in found.items()}
    except DataError:
        if asked.sure:
            raise
        return None
    if not any(named.values()):
        return None
    names = sorted({name for objects in named.values() for name, _ in objects})
    number = {name: label for label, name in enumerate(names)}
    export = Export(TITLE, names, files=sorted(set(found.values())))
    lists = _lists(tree, export)
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


def _xml_of(photos: Sequence[str], files: Sequence[str]) -> dict[str, str]:
    """The file of each photograph: that beside it, else the only one of its name, or of its name and folder.

    A file beside a photograph is of that one alone, and no other file is of two photographs.
    """
    there = set(files)
    found = {photo: file for photo in photos if (file := f"{photo.rpartition('.')[0]}.xml") in there}
    free = there.difference(found.values())
    xml: dict[str, list[str]] = {}
    for file in sorted(free):
        xml.setdefault(_stem(file), []).append(file)
    rest: dict[str, list[str]] = {}
    for photo in photos:
        if photo not in found:
            rest.setdefault(_stem(photo), []).append(photo)
    for stem, same in rest.items():
        others = xml.get(stem, [])
        pairs = [(photo, file) for photo in same for file in others]
        if len(pairs) > 1:
            pairs = [(photo, file) for photo, file in pairs if _mirrors(_above(photo), _above(file))]
        of_photo = {photo: [file for one, file in pairs if one == photo] for photo, _ in pairs}
        of_file = {file: [photo for photo, one in pairs if one == file] for _, file in pairs}
        found |= {photo: each[0] for photo, each in of_photo.items() if len(each) == 1 and len(of_file[each[0]]) == 1}
    return found


def _mirrors(photo: list[str], file: list[str]) -> bool:
    """Whether two paths are the same but for one folder (``train/images`` and ``train/Annotations``)."""
    shorter = [photo[:at] + photo[at + 1 :] for at in range(len(photo))]
    others = [file[:at] + file[at + 1 :] for at in range(len(file))]
    return photo in others or file in shorter or any(one == other for one, other in zip(shorter, others, strict=False))


def _objects(path: Path) -> Objects:
    """Name and box of each object in a file; none if it is no annotation."""
    top = read_xml_file(path, MIB)
    if top.tag != "annotation":
        return []
    size = size_in(top, path)
    objects: Objects = []
    for each in top.iter("object"):
        name = (each.findtext("name") or "").strip()
        if name:
            objects.append((name, box_in(each, size, path)))
    return objects


def size_in(top: ElementTree.Element, path: Path) -> tuple[float, float]:
    """Width and height of the photograph as an annotation tells it, or `UNTOLD`.

    Args:
        path: of the file, for messages.

    Raises:
        DataError: they are no numbers.
    """
    width, height = _numbers(top.find("size"), path, "width", "height") or UNTOLD
    return width, height


def box_in(element: ElementTree.Element, size: tuple[float, float], path: Path) -> Outline | None:
    """The box of an object: pixels counted from 1, the last ones included; None where it has none.

    Args:
        size: of `size_in`. path: of the file, for messages.

    Raises:
        DataError: its sides are no numbers.
    """
    box = _numbers(element.find("bndbox"), path, "xmin", "ymin", "xmax", "ymax")
    if box is None:
        return None
    left, top, right, bottom = box
    return Outline("box", (max(0.0, left - 1), max(0.0, top - 1), right, bottom), size if min(size) > 0 else UNTOLD)


def _numbers(element: ElementTree.Element | None, path: Path, *names: str) -> tuple[float, ...] | None:
    """The numbers in the parts of an element of these names; None where there are none."""
    texts = [None if element is None else element.findtext(name) for name in names]
    if not any(texts):
        return None
    try:
        return tuple(number_in(float(text or "")) for text in texts)
    except ValueError:
        raise DataError(
            f"{path} has a place or size that is not written as numbers: {some([text or '' for text in texts], 4)}.",
            todo=AGAIN,
        ) from None


def _lists(tree: Tree, export: Export) -> dict[str, str]:
    """The split of each photograph by the lists of VOC; ``trainval`` is ``train`` where there is no ``train``."""
    lists: dict[str, list[str]] = {}
    for name in sorted(name for name, _ in tree.others()):
        folder, _, file = name.rpartition("/")
        if folder.endswith("ImageSets/Main") and file.endswith(".txt"):
            plain = file.removesuffix(".txt").lower()
            split = "trainval" if plain == "trainval" else split_of(plain)
            if split:
                lists.setdefault(split, []).append(name)
    both = lists.pop("trainval", [])
    if both and "train" not in lists:
        lists["train"] = both  # the last one, behind val
        if "val" in lists:
            export.remarks.append("The photos of trainval.txt that are not in val.txt serve for training.")
    found: dict[str, str] = {}
    for split, names in lists.items():
        for name in names:
            for stem in _listed(tree, name):
                if found.get(stem) == "val" and name in both:
                    continue
                if found.setdefault(stem, split) != split:
                    raise DataError(f"{stem} is in two splits of {tree.top}: {some([found[stem], split])}.")
            export.files.append(name)
    return found


def _listed(tree: Tree, name: str) -> list[str]:
    try:
        lines = read_text(tree.top / name, LIST_BYTES).split("\n")
    except (OSError, ValueError) as error:
        raise DataError(f"{name} cannot be read: {reason(error)}.") from error
    return [line.split()[0] for line in lines if line.strip()]


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]


def _above(name: str) -> list[str]:
    return name.split("/")[:-1]
