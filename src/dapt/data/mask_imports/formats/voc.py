"""Pascal VOC: label maps in ``SegmentationClass/`` (Everingham et al., IJCV 2010), else polygons or boxes of XML files.

CVAT and labelme2voc write these folders, too: CVAT paints each class in the colour that ``labelmap.txt`` tells,
labelme2voc numbers the lines of ``class_names.txt`` from -1. The XML files of the LabelMe web tool (Russell et al.,
IJCV 2008) are alike; they keep what was deleted, and their masks lie in files of their own, which are not read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from dapt.config import MaskFormat
from dapt.data.load.picture_files import DAMAGE, Refusal, opened
from dapt.data.mask_imports.base import (
    BOXES,
    IMPORTS,
    NO_PLACE,
    UNNAMED,
    Annotated,
    Asked,
    Found,
    Mark,
    MaskImport,
    Things,
    Wanted,
    nothing_there,
)
from dapt.data.mask_imports.source import KEPT, Source
from dapt.data.masks.rules import MaskRules
from dapt.data.outlines import UNTOLD, Outline
from dapt.data.read.exports.voc import box_in, size_in
from dapt.data.read.exports.yolo_about import text_of
from dapt.errors import DataError
from dapt.strict import nfc

FOLDERS = ("segmentationclass", "segmentationclasspng", "segmentationobject", "segmentationobjectpng")
BOXES_TOO = Things("XML file, for there are label maps", "XML files, for there are label maps")
DELETED = Things("object that was deleted in the tool", "objects that were deleted in the tool")
VOID = 255
NAMES = (
    "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep "
    "sofa train tvmonitor"
).split()  # of the challenge, numbered from 1
ALL = "The foreground is all that is no background in the label maps; no file beside them names categories."
GUESSED = (
    "No labelmap.txt or class_names.txt tells what the numbers of the label maps mean: they are taken for those of "
    "Pascal VOC, 1 aeroplane to 20 tvmonitor."
)
_BACKGROUND = ("background", "_background_", "__ignore__", "ignore", "void")

Table = Mapping[str, int]  # number, or colour as 0xrrggbb, by the name of a category


@IMPORTS.register("voc")
class VocImport(MaskImport):
    """Label maps where there are any; else what the XML files say."""

    title = "Pascal VOC"
    options = ("mask_format", "mask_background")

    def evidence(self, source: Source, asked: Asked) -> str:
        maps = _maps(source)
        if maps:
            return f"{posixpath.dirname(maps[0])} holds label maps"
        for name in source.xmls[:KEPT]:
            top = source.xml_or_none(name)
            if top is not None and top.tag == "annotation":
                return f"{name} is an annotation of Pascal VOC"
        return ""

    def read(self, source: Source, asked: Asked) -> Found:
        found = Found(self.title)
        closed: DataError | None = None
        maps = _maps(source)
        if maps:
            _read_maps(found, source, asked, maps)
        for name in source.xmls:
            try:
                top = source.xml(name)
            except DataError as error:
                closed = closed or error
                found.damaged.append(error.what)
                continue
            if top.tag == "annotation" and maps:
                found.leave_out(BOXES_TOO, name)
            elif top.tag == "annotation":
                found.files.append(name)
                found.pictures.append(_picture(found, top, source.top / name, name))
        if not found.files:
            raise closed or nothing_there(
                source, "Pascal VOC data", "a folder SegmentationClass with pictures, or XML files with <annotation>"
            )
        return found


def _maps(source: Source) -> list[str]:
    """The label maps: of classes, else of objects."""
    for wanted in FOLDERS:
        found = [name for name in source.tree.pictures if _folder(source, name) == wanted]
        if found:
            return found
    return []


def _folder(source: Source, name: str) -> str:
    """What the folder of a picture is called, in lower case."""
    return (posixpath.basename(posixpath.dirname(name)) or source.top.resolve().name).lower()


def _read_maps(found: Found, source: Source, asked: Asked, maps: list[str]) -> None:
    kind = asked.rules.kind if asked.kind_given else _kind(source.top / maps[0])
    table, told_by = _table(source, kind) if _folder(source, maps[0]).startswith("segmentationclass") else ({}, "")
    if not told_by and asked.classes is None:
        found.guesses.append(ALL)
    if told_by or asked.classes is not None:
        found.labels.update(dict.fromkeys(table))
    if table and not told_by and asked.classes is not None:
        found.guesses.append(GUESSED)
    wanted = _wanted(table, kind, asked.classes)
    for name in maps:
        found.files.append(name)
        rules = MaskRules(kind, None, asked.rules.background)
        place = posixpath.join(posixpath.dirname(posixpath.dirname(name)), posixpath.basename(name))
        found.pictures.append(Annotated((place,), (), (source.top / name,), name, rules, wanted))


def _kind(path: Path) -> MaskFormat:
    """Label maps have one number per pixel; CVAT's have colours."""
    try:
        with opened(path) as image:
            return "colours" if image.mode in ("RGB", "RGBA") else "labels"
    except (*DAMAGE, Refusal) as error:
        raise DataError(f"The mask {path} cannot be read ({error}).", todo="Export the data again.") from None


def _table(source: Source, kind: MaskFormat) -> tuple[Table, str]:
    """The categories of label maps: as a file beside them tells, with its name, else those of the challenge."""
    for name in sorted(source.texts, key=lambda each: each.count("/")):
        last = posixpath.basename(name).lower()
        if last == "labelmap.txt":
            return _of_labelmap(text_of(source.top / name, name), kind), name
        if last == "class_names.txt" and kind == "labels":
            lines = [line.strip() for line in text_of(source.top / name, name).splitlines() if line.strip()]
            first = -1 if lines[:1] == ["__ignore__"] else 0
            return {line: number + first for number, line in enumerate(lines) if line not in _BACKGROUND}, name
    return ({name: number for number, name in enumerate(NAMES, start=1)} if kind == "labels" else {}), ""


def _of_labelmap(text: str, kind: MaskFormat) -> Table:
    """CVAT's: ``name:red,green,blue:parts:actions`` in each line; numbers in the order of lines."""
    table: dict[str, int] = {}
    rows = [line.split(":") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for number, row in enumerate(rows):
        if row[0].lower() in _BACKGROUND:
            continue
        if kind != "colours":
            table[row[0]] = number
            continue
        try:
            red, green, blue = (int(part) for part in row[1].split(","))
        except (IndexError, ValueError):
            continue
        table[row[0]] = red << 16 | green << 8 | blue
    return table


def _wanted(table: Table, kind: MaskFormat, classes: tuple[str, ...] | None) -> Wanted | None:
    if classes is None and kind == "labels":
        return None
    values = frozenset(number for name, number in table.items() if classes is None or nfc(name) in classes)
    if kind == "colours":
        return Wanted(colours=values) if table else None
    return Wanted(numbers=values - {VOID})


def _picture(found: Found, top: ElementTree.Element, path: Path, file: str) -> Annotated:
    own = file.rpartition(".")[0]
    said = (top.findtext("filename") or "").strip().replace("\\", "/")
    marks: list[Mark] = []
    try:
        size = _size(top, path)
    except DataError as error:
        found.damaged.append(error.what)
        return Annotated((own,), (), near=file)
    for each in top.iter("object"):
        if (each.findtext("deleted") or "").strip() == "1":
            found.leave_out(DELETED, own)
            continue
        label = (each.findtext("name") or "").strip() or UNNAMED
        found.labels[label] = None
        try:
            outline = _outline(found, each, size, own, path, file)
        except DataError as error:
            found.damaged.append(error.what)
            continue
        if outline is not None:
            marks.append(Mark(label, (outline,)))
    return Annotated(tuple(dict.fromkeys(filter(None, (own, said)))), tuple(marks), near=file)


def _size(top: ElementTree.Element, path: Path) -> tuple[float, float]:
    """The size of the photograph, also as the LabelMe web tool writes it; `UNTOLD` where there is none.

    Raises:
        DataError: it is not written as numbers.
    """
    size = size_in(top, path)
    rows, columns = (_float(top.findtext(f"imagesize/{name}")) for name in ("nrows", "ncols"))
    return (columns, rows) if size == UNTOLD and rows >= 1 and columns >= 1 else size


def _outline(
    found: Found, element: ElementTree.Element, size: tuple[float, float], picture: str, path: Path, file: str
) -> Outline | None:
    """The polygon of an object, else its box, which is counted; None where there is neither, which is counted, too."""
    polygon = element.find("polygon")
    if polygon is not None and len(polygon):
        return found.polygon(_corners(polygon), size, picture, file)
    box = box_in(element, size, path)
    if box is None:
        found.leave_out(NO_PLACE, picture)
    else:
        found.take(BOXES, picture)
    return box


def _corners(polygon: ElementTree.Element) -> list[float]:
    """Roboflow's ``x1 y1 x2 y2 ...``, or ``pt`` elements with ``x`` and ``y``; not a number where it is none."""
    points = polygon.findall("pt")
    texts = [point.findtext(axis) for point in points for axis in ("x", "y")] if points else [e.text for e in polygon]
    return [_float(text) for text in texts]


def _float(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return float("nan")
