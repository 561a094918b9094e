"""COCO: ``images``, ``annotations`` and ``categories`` (Lin et al., ECCV 2014): polygons, runs, boxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dapt.data.mask_imports.base import (
    BOXES,
    CROWDS,
    IMPORTS,
    NO_PLACE,
    UNNAMED,
    Annotated,
    Found,
    Mark,
    Things,
)
from dapt.data.mask_imports.documents import DocumentImport
from dapt.data.mask_imports.photo_names import beside
from dapt.data.mask_imports.source import Source
from dapt.data.outlines import UNTOLD, Outline
from dapt.data.read.exports.coco import key_of
from dapt.data.read.exports.coco_outlines import outlines_of
from dapt.errors import DataError

AGAIN = "Export the data again."
ORPHANS = Things("object of an image that the file does not list", "objects of images that the file does not list")
TWICE = Things(
    "image is listed twice, and its objects are put together",
    "images are listed twice, and their objects are put together",
)
_DAMAGE = (AttributeError, LookupError, TypeError, ValueError, OverflowError)


@IMPORTS.register("coco")
class CocoImport(DocumentImport):
    """JSON files of COCO; captions and detection results are none."""

    title = "COCO"
    sign = "has images and annotations"
    kind = "COCO JSON"
    needed = "a file with 'images' and 'annotations'"

    def is_mine(self, content: Any) -> bool:
        return is_coco(content)

    def take(self, found: Found, source: Source, name: str, content: Any) -> None:
        _File(found, source, name, content).read()


def is_coco(content: Any) -> bool:
    """Whether a JSON file lists images, and objects with places in them."""
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), list) for key in ("images", "annotations")
    ):
        return False
    rows = content["annotations"]
    return not rows or any(isinstance(row, dict) and ("segmentation" in row or "bbox" in row) for row in rows)


class _File:
    """One file, read into what is found."""

    def __init__(self, found: Found, source: Source, name: str, content: dict[str, Any]) -> None:
        self.found, self.name, self.content = found, name, content
        self.path = source.top / name
        self.marks: dict[str, list[Mark]] = {}
        self.images: dict[str, tuple[str, tuple[float, float]]] = {}

    def read(self) -> None:
        """Add its pictures.

        Raises:
            DataError: its lists of images or categories are damaged.
        """
        names = self._categories()
        self._list_images()
        for annotation in self.content["annotations"]:
            self._annotation(annotation, names)
        for key, (file, _) in self.images.items():
            place = beside(self.name, file)
            self.found.pictures.append(Annotated((place,), tuple(self.marks.get(key, ())), near=self.name))

    def _categories(self) -> dict[str, str]:
        try:
            names = {key_of(each["id"]): str(each["name"]) for each in self.content.get("categories") or ()}
        except _DAMAGE:
            raise DataError(f"{self.path} has a category without id or name.", todo=AGAIN) from None
        self.found.labels.update(dict.fromkeys(names.values()))
        return names

    def _list_images(self) -> None:
        files: set[str] = set()
        for image in self.content["images"]:
            try:
                key, file = key_of(image["id"]), image["file_name"]
                if not isinstance(file, str) or not file:
                    raise ValueError
            except _DAMAGE:
                raise DataError(f"{self.path} has an image without id or file_name.", todo=AGAIN) from None
            if key in self.images:
                raise DataError(f"{self.path} has two images with the id {key}.", todo=AGAIN)
            if file in files:
                self.found.take(TWICE, file)
            files.add(file)
            self.images[key] = (file, self._size(image, file))

    def _size(self, image: Mapping[str, Any], file: str) -> tuple[float, float]:
        width, height = image.get("width"), image.get("height")
        if width is None or height is None:
            return UNTOLD
        try:
            size = self.found.number(width, file), self.found.number(height, file)
        except (TypeError, ValueError):
            size = UNTOLD
        return size if min(size) >= 1 else UNTOLD

    def _annotation(self, annotation: Any, names: Mapping[str, str]) -> None:
        try:
            key = key_of(annotation["image_id"])
            number = key_of(annotation["category_id"]) if names else ""
        except _DAMAGE:
            self.found.damage("", self.name, "an object without the numbers of its image and category")
            return
        if key not in self.images:
            self.found.leave_out(ORPHANS, f"image id {key}")
            return
        file, size = self.images[key]
        if names and number not in names:
            self.found.damage(file, self.name, f"an object has the category {number}, which is not listed")
            return
        try:
            outlines = self._outlines(annotation, size, file)
        except _DAMAGE as error:
            told = str(error) or "its place is not written as numbers"
            self.found.damage(file, self.name, f"an object cannot be understood: {told}")
            return
        if outlines:
            if annotation.get("iscrowd") in (1, "1", True):
                self.found.take(CROWDS, file)
            self.marks.setdefault(key, []).append(Mark(names.get(number, UNNAMED), tuple(outlines)))

    def _outlines(self, annotation: Mapping[str, Any], size: tuple[float, float], file: str) -> list[Outline]:
        place = annotation.get("segmentation")
        if isinstance(place, Mapping):
            return [_runs(place)]
        if place:
            plain = all(not isinstance(part, list | Mapping) for part in place)  # one polygon, not in a list
            rows = [place] if plain else place
            parts = [
                _runs(part) if isinstance(part, Mapping) else self.found.polygon(part, size, file, self.name)
                for part in rows
            ]
            return [outline for outline in parts if outline is not None]
        if annotation.get("bbox"):
            left, top, width, height = (self.found.number(value, file) for value in annotation["bbox"])
            if width <= 0 or height <= 0:
                self.found.leave_out(NO_PLACE, file)
                return []
            self.found.take(BOXES, file)
            return [Outline("box", (left, top, left + width, top + height), size)]
        self.found.leave_out(NO_PLACE, file)
        return []


def _runs(place: Mapping[str, Any]) -> Outline:
    """Run lengths.

    Raises:
        KeyError, TypeError, ValueError: they are damaged, or do not fill their picture.
    """
    (runs,) = outlines_of({"segmentation": place}, UNTOLD)
    if sum(runs.values) != runs.size[0] * runs.size[1]:
        raise ValueError(f"its run lengths fill {sum(runs.values):.0f} pixels, not {runs.size[0] * runs.size[1]}")
    return runs
