"""The regions of a Label Studio task: what each one is, what it is called, and where it lies.

A region has one result with its place and its labels (``polygonlabels``), or, of configurations with ``<Labels>`` and a
plain tool (``<Polygon>``), two: one with its place, and one with its place and its ``labels``. What is asked of each
region (choices, texts, ratings) repeats its place, too. JSON-MIN leaves out which result is which.

Places are percents of the picture. A turned rectangle is turned about its first corner, an ellipse about its centre; a
bitmask is a PNG of the whole picture, transparent where there is nothing (labelstud.io/tags/bitmask).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dapt.data.mask_imports.base import BOXES, UNNAMED, Found
from dapt.data.mask_imports.brush import painted
from dapt.data.mask_imports.shapes import bitmap, ellipse, runs_of, turned_box
from dapt.data.outlines import Outline
from dapt.limits import MAX_MEGAPIXELS

SHARES = (1.0, 1.0)
UNSIZED = "it is turned or painted, and the size of the picture is not told"
TURNED = "the picture was turned while it was annotated (image_rotation)"
WITHOUT_AREA = "no area"
OTHER = "other"
_KINDS = ("polygonlabels", "rectanglelabels", "ellipselabels", "brushlabels", "bitmasklabels")
_NO_AREA = ("keypointlabels", "keypoint", "vectorlabels", "vector")
_ASKED = ("choices", "text", "rating", "number", "taxonomy", "datetime")  # of a region, or of the whole picture
_PLACES = ("points", "x", "rle", "imageDataURL", "vertices", "sequence")


@dataclass(frozen=True)
class Region:
    """A result that has a place.

    Attributes:
        kind: one of ``polygonlabels`` and so on, `WITHOUT_AREA`, or `OTHER` where it is not known.
        labels: what it is called, at least one. place: its value. result: all that is said of it.
    """

    kind: str
    labels: tuple[str, ...]
    place: Mapping[str, Any]
    result: Mapping[str, Any]


class Names:
    """The labels of regions that have them in a result of their own.

    Args:
        results: of one annotation.
    """

    def __init__(self, results: Sequence[Any]) -> None:
        self._labels: dict[str, Any] = {}
        self._placed: set[str] = set()
        for result in results:
            if not isinstance(result, dict) or not isinstance(place := result.get("value", result), dict):
                continue  # told when it is read
            key = _key(result, place)
            if _is_name(result, place):
                self._labels.setdefault(key, place["labels"])
            elif _kind(result, place):
                self._placed.add(key)

    def region(self, result: Any) -> Region | None:
        """What a result is; None where it has no place, or repeats that of another one.

        Raises:
            AttributeError, TypeError, ValueError: it is damaged.
        """
        place: Any = result.get("value", result)
        if not isinstance(place, dict):
            raise ValueError("it has no value")
        key = _key(result, place)
        if _is_name(result, place) and key in self._placed:
            return None
        kind = _kind(result, place)
        if not kind:
            return None
        labels = place.get(kind) or place.get("labels") or self._labels.get(key) or [UNNAMED]
        return Region(kind, tuple(str(label) for label in labels), place, result)


def _key(result: Mapping[str, Any], place: Mapping[str, Any]) -> str:
    """What the results of one region have in common."""
    told = result.get("id")
    if isinstance(told, str) and told and "value" in result:
        return told
    return repr([(key, place.get(key)) for key in (*_PLACES, "y", "width", "height", "radiusX", "radiusY", "rotation")])


def _is_name(result: Mapping[str, Any], place: Mapping[str, Any]) -> bool:
    """Whether a result says what a region is called, and may repeat its place."""
    return bool(place.get("labels")) and result.get("type") in ("labels", None) and not set(place).intersection(_KINDS)


def _kind(result: Mapping[str, Any], place: Mapping[str, Any]) -> str:
    """What a region is; empty where a result has no place, or answers a question."""
    said = result.get("type")
    for kind in _KINDS:
        if kind in place or said in (kind, kind.removesuffix("labels")):
            return kind
    if any(kind in place or said == kind for kind in _NO_AREA):
        return WITHOUT_AREA
    if any(key in place for key in _ASKED) or not any(key in place for key in _PLACES):
        return ""
    return _by_shape(place) if said in ("labels", None) else OTHER


def _by_shape(place: Mapping[str, Any]) -> str:
    """What a region is by its numbers alone, as JSON-MIN has them."""
    shapes = {"rle": "brushlabels", "imageDataURL": "bitmasklabels", "points": "polygonlabels"}
    for key, kind in (shapes | {"radiusX": "ellipselabels", "height": "rectanglelabels"}).items():
        if key in place:
            return kind
    return WITHOUT_AREA if "x" in place or "vertices" in place else OTHER


def outline_of(found: Found, region: Region, picture: str, file: str) -> Outline | None:
    """Where a region with an area lies; None where it has none, which is counted.

    Raises:
        AttributeError, LookupError, TypeError, ValueError, OSError: it is damaged.
    """
    kind, place = region.kind, region.place
    size = _size(found, {**place, **region.result}, picture)
    if region.result.get("image_rotation") not in (None, 0):
        raise ValueError(TURNED)

    def share(key: str, side: float) -> float:
        return found.number(place[key], picture) * side / 100

    if kind == "polygonlabels":
        points = place["points"]
        if any(len(point) != 2 for point in points):
            raise ValueError("a point has not two numbers")
        flat = [
            found.number(value, picture) * side / 100
            for point in points
            for value, side in zip(point, size, strict=True)
        ]
        return found.polygon(flat, size, picture, file)
    if kind == "bitmasklabels":
        return runs_of(bitmap(place["imageDataURL"]))
    turn = found.number(place.get("rotation") or 0, picture)
    if size == SHARES and (turn or kind == "brushlabels"):
        raise ValueError(UNSIZED)
    if kind == "brushlabels":
        width, height = int(size[0]), int(size[1])
        if width * height > MAX_MEGAPIXELS * 1e6:
            raise ValueError("its picture is too large")
        return runs_of(painted(place["rle"], width, height))
    x, y = share("x", size[0]), share("y", size[1])
    if kind == "ellipselabels":
        return ellipse(x, y, (share("radiusX", size[0]), share("radiusY", size[1])), turn, size)
    found.take(BOXES, picture)
    return turned_box((x, y, x + share("width", size[0]), y + share("height", size[1])), (x, y), turn, size)


def _size(found: Found, told: Mapping[str, Any], picture: str) -> tuple[float, float]:
    width, height = told.get("original_width"), told.get("original_height")
    if width is None or height is None:
        return SHARES
    size = found.number(width, picture), found.number(height, picture)
    return size if min(size) >= 1 else SHARES
