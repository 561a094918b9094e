"""Label Studio: JSON lists of tasks (labelstud.io), in the full form or as JSON-MIN.

Places are percents of the picture. A turned rectangle is turned about its first corner, an ellipse about its centre.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dapt.data.mask_imports.base import (
    BOXES,
    IMPORTS,
    NO_AREA,
    UNNAMED,
    Annotated,
    Found,
    Mark,
    Things,
)
from dapt.data.mask_imports.brush import painted
from dapt.data.mask_imports.documents import DocumentImport
from dapt.data.mask_imports.shapes import ellipse, runs_of, turned_box
from dapt.data.mask_imports.source import Source
from dapt.data.outlines import Outline
from dapt.data.read.kinds import is_picture
from dapt.limits import MAX_MEGAPIXELS

SHARES = (1.0, 1.0)
SKIPPED = Things("task that was skipped", "tasks that were skipped")
SEVERAL = Things(
    "task was done by several people, and what they marked is put together",
    "tasks were done by several people, and what they marked is put together",
)
UNSIZED = "it is turned or painted, and the size of the picture is not told"
_RESULTS = ("annotations", "completions")
_KINDS = ("polygonlabels", "rectanglelabels", "ellipselabels", "brushlabels")
_PLAIN = {
    "polygon": "polygonlabels",
    "rectangle": "rectanglelabels",
    "ellipse": "ellipselabels",
    "brush": "brushlabels",
}
_WITHOUT_AREA = ("keypointlabels", "keypoint", "vectorlabels", "vector")
_DAMAGE = (AttributeError, LookupError, TypeError, ValueError, OverflowError)


@IMPORTS.register("label-studio")
class LabelStudioImport(DocumentImport):
    """Polygons, rectangles, ellipses and brush strokes; predictions are not read."""

    title = "Label Studio"
    sign = "is a list of tasks with results"
    kind = "JSON of Label Studio"
    needed = "a list of tasks with 'annotations', or JSON-MIN"

    def is_mine(self, content: Any) -> bool:
        return is_label_studio(content)

    def take(self, found: Found, source: Source, name: str, content: Any) -> None:
        tasks = content if isinstance(content, list) else [content]
        found.pictures += [_picture(found, task, name, number) for number, task in enumerate(tasks)]


def is_label_studio(content: Any) -> bool:
    """Whether a JSON file holds tasks of Label Studio."""
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return False
    if isinstance(first.get("data"), dict) and any(isinstance(first.get(key), list) for key in _RESULTS):
        return True
    minimal = any(key in first for key in ("annotation_id", "annotator", "lead_time"))
    return minimal and any(isinstance(value, str) for value in first.values())


def _picture(found: Found, task: Any, file: str, number: int) -> Annotated:
    if not isinstance(task, dict):
        found.damage("", file, f"task {number} is no task")
        return Annotated((f"task {number}",), near=file)
    names = _names(task) or [f"task {task.get('id', number)}"]
    done = [key for key in _RESULTS if isinstance(task.get(key), list)]
    marks: list[Mark] = []
    if not done:
        for value in task.values():
            if isinstance(value, list):
                marks += _marks(found, value, names[0], file)
        return Annotated(tuple(names), tuple(marks), near=file)
    each = [one for key in done for one in task[key] if isinstance(one, dict)]
    used = [one for one in each if not one.get("was_cancelled")]
    if len(used) < len(each):
        found.leave_out(SKIPPED, names[0])
    if len(used) > 1:
        found.take(SEVERAL, names[0])
    for one in used:
        results = one.get("result")
        marks += _marks(found, results if isinstance(results, list) else [], names[0], file)
    return Annotated(tuple(names), tuple(marks), near=file)


def _names(task: Mapping[str, Any]) -> list[str]:
    """What the picture of a task may be called: pictures by their ending first."""
    data = task.get("data")
    parts: Mapping[str, Any] = data if isinstance(data, dict) else task
    texts = [parts[key] for key in ("image", "img", "photo", "picture") if isinstance(parts.get(key), str)]
    texts += [value for value in parts.values() if isinstance(value, str) and is_picture(value.partition("?")[0])]
    if isinstance(task.get("file_upload"), str):
        texts.append(task["file_upload"])
    return list(dict.fromkeys(text for text in texts if text))


def _marks(found: Found, results: Sequence[Any], picture: str, file: str) -> Iterator[Mark]:
    for result in results:
        try:
            kind, place = _kind_and_place(result)
            if kind in _WITHOUT_AREA:
                found.leave_out(NO_AREA, picture)
                continue
            if kind is None:
                continue  # choices, texts and relations
            labels = place.get(kind) or place.get("labels") or [UNNAMED]
            label = str(labels[0])
            found.labels[label] = None
            outline = _outline(found, kind, place, result, picture, file)
        except _DAMAGE as error:
            told = str(error) or "its place is not written as numbers"
            found.damage(picture, file, f"a result cannot be understood: {told}")
            continue
        if outline is not None:
            yield Mark(label, (outline,))


def _kind_and_place(result: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    place: Any = result.get("value", result)
    if not isinstance(place, dict):
        raise ValueError("it has no value")
    said = result.get("type")
    for kind in (*_KINDS, *_WITHOUT_AREA):
        if kind in place or said == kind:
            return kind, place
    if "rle" in place:
        return "brushlabels", place
    return (_PLAIN.get(said) if isinstance(said, str) else None), place


def _outline(
    found: Found, kind: str, place: Mapping[str, Any], result: Mapping[str, Any], picture: str, file: str
) -> Outline | None:
    size = _size(found, {**place, **result}, picture)
    if result.get("image_rotation") not in (None, 0):
        raise ValueError("the picture was turned while it was annotated (image_rotation)")

    def number(key: str) -> float:
        return found.number(place[key], picture)

    def share(key: str, side: float) -> float:
        return number(key) * side / 100

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
