"""Labelme: a JSON file per photograph, with ``shapes`` and ``imagePath`` (github.com/wkentaro/labelme)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dapt.data.load.picture_files import DAMAGE, Refusal
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
from dapt.data.mask_imports.photo_names import beside
from dapt.data.mask_imports.shapes import bitmap, box, ellipse, placed
from dapt.data.mask_imports.source import Source
from dapt.data.outlines import UNTOLD, Outline

UNKNOWN_SIZE = "a mask, and the file does not tell the size of its picture"
_WITHOUT_AREA = ("line", "linestrip", "point", "points")


@IMPORTS.register("labelme")
class LabelmeImport(DocumentImport):
    """Polygons, rectangles, circles and masks; lines and points have no area."""

    title = "Labelme"
    sign = "has shapes and an imagePath"
    kind = "Labelme JSON"
    needed = "files with 'shapes' and 'imagePath'"

    def is_mine(self, content: Any) -> bool:
        return is_labelme(content)

    def take(self, found: Found, source: Source, name: str, content: Any) -> None:
        found.pictures.append(_picture(found, name, content))


def is_labelme(content: Any) -> bool:
    """Whether a JSON file is one of Labelme's."""
    return isinstance(content, dict) and isinstance(content.get("shapes"), list) and "imagePath" in content


def _picture(found: Found, name: str, content: Mapping[str, Any]) -> Annotated:
    own = name.rpartition(".")[0]
    said = content["imagePath"]
    names = [own]
    if isinstance(said, str) and said:
        names.insert(0, beside(name, said))
    size = UNTOLD
    try:
        size = float(content["imageWidth"]), float(content["imageHeight"])
        size = size if min(size) >= 1 and all(map(math.isfinite, size)) else UNTOLD
    except (KeyError, TypeError, ValueError):
        size = UNTOLD
    marks: list[Mark] = []
    for shape in content["shapes"]:
        try:
            label = shape.get("label")
            outline = _outline(found, shape, size, names[0], name)
        except (*DAMAGE, AttributeError, Refusal) as error:
            told = str(error) or "its points are not written as numbers"
            found.damage(names[0], name, f"a shape cannot be understood: {told}")
            continue
        text = label if isinstance(label, str) and label else UNNAMED
        found.labels[text] = None
        if outline is not None:
            marks.append(Mark(text, (outline,)))
    return Annotated(tuple(dict.fromkeys(names)), tuple(marks), near=name)


def _outline(
    found: Found, shape: Mapping[str, Any], size: tuple[float, float], picture: str, file: str
) -> Outline | None:
    kind = shape.get("shape_type") or "polygon"
    points = shape.get("points")
    if kind in _WITHOUT_AREA:
        found.leave_out(NO_AREA, picture)
        return None
    if not isinstance(points, list) or not all(isinstance(point, list) for point in points):
        raise ValueError("it has no list of points")
    if any(len(point) != 2 for point in points):
        raise ValueError("a point has not two numbers")
    flat = [value for point in points for value in point]
    if kind in ("polygon", "oriented_rectangle") or (kind == "rectangle" and len(points) == 4):
        return found.polygon(flat, size, picture, file)
    if kind not in ("rectangle", "circle", "mask"):
        raise ValueError(f"its kind, '{kind}', is not known")
    if len(points) != 2:
        raise ValueError(f"a {kind} has {len(points)} points, not 2")
    x, y, other_x, other_y = (found.number(value, picture) for value in flat)
    if kind == "circle":
        radius = math.hypot(other_x - x, other_y - y)
        return ellipse(x, y, (radius, radius), 0, size)
    if kind == "rectangle":
        found.take(BOXES, picture)
        return box(x, y, other_x, other_y, size)
    if size == UNTOLD:
        raise ValueError(UNKNOWN_SIZE)
    return placed(bitmap(shape.get("mask")), round(x), round(y), (int(size[0]), int(size[1])))
