"""Label Studio: JSON lists of tasks (labelstud.io), in the full form or as JSON-MIN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dapt.data.load.picture_files import DAMAGE, Refusal
from dapt.data.mask_imports.base import IMPORTS, NO_AREA, Annotated, Found, Mark, Things
from dapt.data.mask_imports.documents import DocumentImport
from dapt.data.mask_imports.source import Source
from dapt.data.mask_imports.studio_regions import OTHER, WITHOUT_AREA, Names, outline_of
from dapt.data.read.kinds import is_picture

SKIPPED = Things("task that was skipped", "tasks that were skipped")
SEVERAL = Things(
    "task was done by several people, and what they marked is put together",
    "tasks were done by several people, and what they marked is put together",
)
PREDICTED = Things("task with predictions alone", "tasks with predictions alone")
OTHERS = Things("region of a kind that is not read", "regions of kinds that are not read")
_RESULTS = ("annotations", "completions")


@IMPORTS.register("label-studio")
class LabelStudioImport(DocumentImport):
    """Polygons, rectangles, ellipses, brush strokes and bitmasks; predictions are not read."""

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
        lists = [value for value in task.values() if isinstance(value, list)]
        regions = [result for each in lists for result in each if isinstance(result, dict)]  # others are texts
        marks += _marks(found, regions, names[0], file)
        return Annotated(tuple(names), tuple(marks), near=file)
    each = [one for key in done for one in task[key] if isinstance(one, dict)]
    if not each and any(isinstance(one, dict) and one.get("result") for one in task.get("predictions") or ()):
        found.leave_out(PREDICTED, names[0])
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
    names = Names(results)
    for result in results:
        try:
            region = names.region(result)
            if region is None:
                continue  # choices, texts, relations, and places that are there already
            if region.kind == OTHER:
                found.leave_out(OTHERS, picture)
                continue
            if region.kind == WITHOUT_AREA:
                found.leave_out(NO_AREA, picture)
                continue
            found.labels.update(dict.fromkeys(region.labels))
            outline = outline_of(found, region, picture, file)
        except (*DAMAGE, AttributeError, Refusal) as error:
            told = str(error) or "its place is not written as numbers"
            found.damage(picture, file, f"a result cannot be understood: {told}")
            continue
        if outline is not None:
            yield from (Mark(label, (outline,)) for label in region.labels)
