"""CVAT: ``annotations.xml`` of "CVAT for images 1.1" (docs.cvat.ai): polygons, boxes, ellipses and masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

import numpy as np

from dapt.data.mask_imports.base import (
    BOXES,
    IMPORTS,
    NO_AREA,
    UNNAMED,
    Annotated,
    Found,
    Mark,
)
from dapt.data.mask_imports.documents import DocumentImport
from dapt.data.mask_imports.shapes import ellipse, placed, turned_box
from dapt.data.mask_imports.source import Source
from dapt.data.outlines import UNTOLD, Outline
from dapt.data.read.exports.coco_outlines import number_in
from dapt.errors import DataError
from dapt.limits import MAX_MEGAPIXELS

_WITHOUT_AREA = ("polyline", "points", "cuboid", "skeleton")
DEFAULT = "default"  # the subset of images that are in none
_NO_SHAPES = ("tag", "attribute")


@IMPORTS.register("cvat")
class CvatImport(DocumentImport):
    """XML files of CVAT for images; tracks of videos are refused."""

    title = "CVAT"
    sign = "is an XML file of CVAT"
    kind = "XML of CVAT"
    needed = "an annotations.xml with <image> elements"

    def documents(self, source: Source) -> Sequence[str]:
        return source.xmls

    def content(self, source: Source, name: str) -> ElementTree.Element:
        return source.xml(name)

    def is_mine(self, content: ElementTree.Element) -> bool:
        return content.tag == "annotations"

    def take(self, found: Found, source: Source, name: str, content: ElementTree.Element) -> None:
        if content.find("track") is not None:
            raise DataError(
                f"{source.top / name} is an export 'CVAT for video', with tracks in place of images.",
                todo="Export it as 'CVAT for images 1.1', or as COCO.",
            )
        for label in content.iterfind("./meta//labels/label/name"):
            found.labels[(label.text or "").strip() or UNNAMED] = None
        found.pictures += [_picture(found, image, name) for image in content.iterfind("image")]


def _picture(found: Found, image: ElementTree.Element, file: str) -> Annotated:
    name = image.get("name") or f"image {image.get('id')}"
    try:
        size = _number(image.attrib, "width"), _number(image.attrib, "height")
        size = size if min(size) >= 1 else UNTOLD
    except ValueError:
        size = UNTOLD
    marks: list[Mark] = []
    for shape in image:
        if shape.tag in _NO_SHAPES:
            continue
        label = shape.get("label") or UNNAMED
        found.labels[label] = None
        try:
            outline = _outline(found, shape, size, name, file)
        except ValueError as error:
            found.damage(name, file, f"a {shape.tag} cannot be understood: {error}")
            continue
        if outline is not None:
            marks.append(Mark(label, (outline,)))
    plain = name.replace("\\", "/")
    subset = image.get("subset") or DEFAULT  # of exports of a project, in which a name may be there once in each
    names = (plain,) if subset == DEFAULT else (f"{subset}/{plain}", plain)
    return Annotated(names, tuple(marks), near=file)


def _outline(
    found: Found, shape: ElementTree.Element, size: tuple[float, float], picture: str, file: str
) -> Outline | None:
    told = shape.attrib
    if shape.tag in _WITHOUT_AREA:
        found.leave_out(NO_AREA, picture)
        return None
    turn = _number(told, "rotation") if told.get("rotation") else 0.0
    if shape.tag == "polygon":
        pairs = [pair.split(",") for pair in told.get("points", "").split(";") if pair.strip()]
        try:
            values = [float(value) for pair in pairs for value in pair]
        except ValueError:
            raise ValueError("its points are no numbers") from None
        return found.polygon(values, size, picture, file)
    if shape.tag == "box":
        found.take(BOXES, picture)
        left, top, right, bottom = (_number(told, key) for key in ("xtl", "ytl", "xbr", "ybr"))
        return turned_box((left, top, right, bottom), ((left + right) / 2, (top + bottom) / 2), turn, size)
    if shape.tag == "ellipse":
        x, y = _number(told, "cx"), _number(told, "cy")
        return ellipse(x, y, (_number(told, "rx"), _number(told, "ry")), turn, size)
    if shape.tag == "mask":
        return _mask(told, size)
    raise ValueError("this kind of shape is not known")


def _mask(told: Mapping[str, str], size: tuple[float, float]) -> Outline:
    """A mask: runs along the rows of its own rectangle, outside and inside in turn, beginning outside."""
    if size == UNTOLD:
        raise ValueError("the file does not tell the size of its picture")
    left, top, width, height = (int(_number(told, key)) for key in ("left", "top", "width", "height"))
    try:
        runs = [int(part) for part in told.get("rle", "").split(",") if part.strip()]
    except ValueError:
        raise ValueError("its run lengths are no numbers") from None
    if min(width, height, *runs, 0) < 0 or width * height > MAX_MEGAPIXELS * 1e6:
        raise ValueError("its size or its run lengths are no numbers of pixels")
    if sum(runs) != width * height:
        raise ValueError(f"its run lengths fill {sum(runs)} pixels, not {width} x {height}")
    inside = np.arange(len(runs)) % 2 == 1
    return placed(np.repeat(inside, runs).reshape(height, width), left, top, (int(size[0]), int(size[1])))


def _number(told: Mapping[str, str], key: str) -> float:
    try:
        return number_in(float(told[key]))
    except KeyError:
        raise ValueError(f"it has no {key}") from None
    except (TypeError, ValueError):
        raise ValueError(f"its {key}, '{told[key]}', is no number") from None
