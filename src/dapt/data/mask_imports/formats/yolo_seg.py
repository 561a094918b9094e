"""YOLO: a text file per photograph, a line per object: the number of its class and a polygon, or a box, in shares."""

from __future__ import annotations

from collections.abc import Sequence

from dapt.data.mask_imports.base import (
    BOXES,
    IMPORTS,
    Annotated,
    Asked,
    Found,
    Mark,
    MaskImport,
    Things,
    nothing_there,
)
from dapt.data.mask_imports.source import KEPT, Source
from dapt.data.read.exports.yolo import Line, have_keypoints, is_box, lines_in, outline_of
from dapt.data.read.exports.yolo_about import NAME_FILES, About, about
from dapt.errors import DataError
from dapt.wording import some

PIXELS = 2.0  # a number above is no share of the picture, however far an outline passes its edge
NO_LABELS = Things("text file that is no label file, and of no photo", "text files that are no labels, and of no photo")
KEYPOINTS = (
    "All lines fit boxes with key points behind them, so boxes are the foreground; a data.yaml without kpt_shape says "
    "that they are polygons."
)
SCORES = "All polygons have one number more than their corners need, so the last ones are taken for scores."
TWO_POINTS = 4  # numbers; as many as a box has, so that nothing tells them apart


@IMPORTS.register("yolo-seg")
class YoloImport(MaskImport):
    """Text files of YOLO, with polygons or boxes."""

    title = "YOLO"

    def evidence(self, source: Source, asked: Asked) -> str:
        for name in _candidates(source)[:KEPT]:
            lines = lines_in(source.top / name, name)
            if lines:
                return f"{name} has lines of a class number and coordinates"
        return ""

    def read(self, source: Source, asked: Asked) -> Found:
        found = Found(self.title)
        said = about(source.tree) if source.given.is_dir() else About()
        lines: dict[str, list[Line]] = {}
        stems = {_stem(photo) for photo in asked.photos}
        for name in _candidates(source):
            if name == said.file:
                continue
            read = lines_in(source.top / name, name)
            if read is not None:
                lines[name] = read
            elif _stem(name) in stems:
                found.damage("", name, "it does not have lines of a class number and finite coordinates")
            else:
                found.leave_out(NO_LABELS, name)
        if not any(lines.values()) and not found.damaged:
            raise nothing_there(source, "labels of YOLO", "text files with lines of a class number and coordinates")
        every = [line for each in lines.values() for line in each]
        _refuse_pixels(source, lines)
        keypoints = said.keypoints
        if every and not said.file.lower().endswith((".yaml", ".yml")) and have_keypoints(every):
            keypoints = True  # a YAML file would tell
            found.guesses.append(KEYPOINTS)
        if not keypoints and _have_scores(every):
            lines = {name: [_without_score(line) for line in each] for name, each in lines.items()}
            found.guesses.append(SCORES)
        found.files = [*lines, *([said.file] if said.file else [])]
        found.labels.update(dict.fromkeys(said.names or sorted({str(number) for number, _ in every})))
        for name, each in lines.items():
            marks = [mark for line in each if (mark := _mark(found, line, said.names, keypoints, name))]
            found.pictures.append(Annotated((name.rpartition(".")[0],), tuple(marks), near=name))
        return found


def _candidates(source: Source) -> list[str]:
    names = [name for name in source.texts if name.rpartition("/")[2].lower() not in NAME_FILES]
    return [name for name in names if "readme" not in name.lower()]


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0].casefold()


def _refuse_pixels(source: Source, lines: dict[str, list[Line]]) -> None:
    beyond = [name for name, each in lines.items() if any(max(map(abs, values)) > PIXELS for _, values in each)]
    if beyond:
        raise DataError(
            f"{len(beyond)} label {'file' if len(beyond) == 1 else 'files'} in {source.given} with coordinates that "
            f"are no shares of the picture, from 0 to 1, as if they were pixels: {some(beyond)}.",
            todo="Export them normalised, or as COCO or Labelme, which hold pixels.",
        )


def _odd(values: Sequence[float]) -> bool:
    """Whether the numbers of a line are those of a polygon, and one more."""
    return len(values) > TWO_POINTS + 1 and len(values) % 2 == 1


def _have_scores(lines: Sequence[Line]) -> bool:
    """Whether all polygons, of which there are several, have a number behind them that may be a score."""
    polygons = [values for _, values in lines if len(values) > TWO_POINTS + 1]
    return len(polygons) > 1 and all(_odd(values) and 0 <= values[-1] <= 1 for values in polygons)


def _without_score(line: Line) -> Line:
    number, values = line
    return (number, values[:-1]) if _odd(values) else line


def _mark(found: Found, line: Line, names: list[str], keypoints: bool, file: str) -> Mark | None:
    number, values = line
    if names and number >= len(names):
        known = f"there are {len(names)} names (0 to {len(names) - 1})" if len(names) > 1 else "there is 1 name (0)"
        found.damage("", file, f"class {number}, but {known}")
        return None
    label = names[number] if names and names[number].strip() else str(number)
    if _odd(values) and not keypoints:
        found.damage("", file, f"a polygon has an odd count of numbers, {len(values)}")
        return None
    if is_box(values, keypoints):
        found.take(BOXES, file)
    return Mark(label, (outline_of(values, keypoints),))
