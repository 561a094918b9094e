"""COCO: JSON files with ``images``, ``annotations`` and ``categories`` (Lin et al., ECCV 2014; cocodataset.org).

Roboflow writes ``_annotations.coco.json`` into each split folder, FiftyOne ``labels.json`` beside ``data/``, COCO
itself ``annotations/instances_train2017.json`` beside ``train2017/``.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from dapt.data.outlines import UNTOLD, Outline
from dapt.data.read.exports.agree import most
from dapt.data.read.exports.base import Asked, Export, by_name, merged, read_json_file, split_in_path
from dapt.data.read.exports.coco_outlines import number_in, outlines_of
from dapt.data.read.split_names import split_of
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import read_text
from dapt.wording import some

TITLE = "COCO"
MANY = 50  # JSON files, one per photograph, are those of another tool
AGAIN = "Export the data again."
_KEYS = ("images", "annotations", "categories")
_DAMAGE = (AttributeError, KeyError, TypeError, ValueError, OverflowError)


def read_coco(tree: Tree, photos: Sequence[str], asked: Asked) -> Export | None:
    """The export, if there are JSON files of COCO; None if there are none.

    Raises:
        DataError: such a file is damaged, names one photograph twice or in two splits, or none that is there.
    """
    files = [name for name, _ in tree.others() if name.lower().endswith(".json")]
    stems = {photo.rpartition(".")[0] for photo in photos}
    files = [name for name in files if name.rpartition(".")[0] not in stems]
    if not files or len(files) > MANY:
        return None
    found = {}
    for name in files:
        content = read_json_file(tree.top / name) if asked.sure else _if_likely(tree, name)
        if isinstance(content, dict) and all(isinstance(content.get(key), list) for key in _KEYS):
            found[name] = content
    if not found or not (asked.sure or _names_most(found, photos)):
        return None
    return _read(tree, photos, found)


def _if_likely(tree: Tree, name: str) -> Any:
    """The content of a JSON file that may be COCO's; None of others."""
    try:
        text = read_text(tree.top / name, LIST_BYTES)
        return json.loads(text) if '"file_name"' in text and '"categories"' in text else None
    except (OSError, ValueError, RecursionError):
        return None


def _names_most(found: Mapping[str, dict[str, Any]], photos: Sequence[str]) -> bool:
    images = [image for content in found.values() for image in content["images"] if isinstance(image, dict)]
    last = {_file(image).rpartition("/")[2] for image in images}
    return most((photo for photo in photos if photo.rpartition("/")[2] in last), photos)


def _read(tree: Tree, photos: Sequence[str], found: Mapping[str, dict[str, Any]]) -> Export:
    tables = {name: _checked(tree, name, partial(_categories, content)) for name, content in found.items()}
    names = merged([dict(enumerate(table.values())) for table in tables.values()])
    export = Export(TITLE, names, files=sorted(found))
    numbers = {name: label for label, name in enumerate(export.names)}
    place = _Places(tree, photos)
    for name, content in found.items():
        labels = {key: numbers[each] for key, each in tables[name].items()}
        images = _checked(tree, name, partial(_images, content, labels))
        split = split_in_path(name) or _split_of_file(name)
        seen: dict[str, str] = {}
        for file, shown, outlines in images:
            path = place.of(file, name, split)
            if path is None:
                export.absent.append(file)
                continue
            if path in seen:
                raise DataError(
                    f"{tree.top / name} names the photo {path} twice (as {seen[path]} and {file}).", todo=AGAIN
                )
            seen[path] = file
            if path in export.shown and export.splits.get(path) != split:
                raise DataError(
                    f"The photo {path} is named in two files of the {TITLE} export, {name} and another, of different "
                    f"splits ({export.splits.get(path) or 'none'} and {split or 'none'}).",
                    todo="Remove it from one of them: what is tested on is not trained on.",
                )
            export.shown[path] = tuple(sorted({*export.shown.get(path, ()), *shown}))
            if split:
                export.splits[path] = split
            export.outlines.setdefault(path, []).extend(outlines)
    if not export.splits and all(split_in_path(path) for path in export.shown):
        export.splits = {path: str(split_in_path(path)) for path in export.shown}
    return export


def _checked(tree: Tree, name: str, read: Callable[[], Any]) -> Any:
    """What `read` returns.

    Raises:
        DataError: it finds the file damaged.
    """
    try:
        return read()
    except _DAMAGE as error:
        told = str(error.args[0]) if isinstance(error, _EntryError) else "an entry that is not as COCO describes it"
        raise DataError(f"{tree.top / name} has {told}.", todo=AGAIN) from None


class _EntryError(ValueError):
    """What is wrong in a file, completing "it has ..."."""


def _categories(content: Mapping[str, Any]) -> dict[str, str]:
    """Class names by the key of their number, in the order of numbers."""
    found: dict[str, str] = {}
    try:
        rows = [(each["id"], each["name"]) for each in content["categories"]]
        for number, name in sorted(rows, key=_number_first):
            found[key_of(number)] = _text(name)
    except (KeyError, TypeError, ValueError):
        raise _EntryError("a category without id or name") from None
    return found


def _number_first(row: tuple[Any, Any]) -> tuple[bool, float, str]:
    number = row[0]
    is_number = isinstance(number, int | float)
    return not is_number, float(number) if is_number else 0.0, str(number)


def _images(content: Mapping[str, Any], labels: Mapping[str, int]) -> list[tuple[str, set[int], list[Outline]]]:
    """File, classes and places of each image."""
    found: dict[str, tuple[str, set[int], list[Outline]]] = {}
    sizes: dict[str, tuple[float, float]] = {}
    for image in content["images"]:
        if not isinstance(image, dict) or "id" not in image:
            raise _EntryError("an image without id")
        key = key_of(image["id"])
        if key in found:
            raise _EntryError(f"two images with the id {key}")
        found[key], sizes[key] = (_file(image), set(), []), _size(image)
    for annotation in content["annotations"]:
        try:
            key, label = key_of(annotation["image_id"]), labels[key_of(annotation["category_id"])]
            _, shown, outlines = found[key]
        except _DAMAGE:
            raise _EntryError("an annotation without an image or category that is there") from None
        try:
            outlines += outlines_of(annotation, sizes[key])
        except _DAMAGE:
            raise _EntryError(f"an annotation of {found[key][0]} whose place is not written as numbers") from None
        shown.add(label)
    return list(found.values())


def key_of(number: Any) -> str:
    """The number of an image or category as text, which some tools write.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int | str):
        raise _EntryError("an id that is neither a number nor a text")
    return str(number)


def _text(name: Any) -> str:
    if not isinstance(name, str | int | float):
        raise TypeError
    return str(name)


def _file(image: Mapping[str, Any]) -> str:
    return str(image.get("file_name", "")).replace("\\", "/")


def _size(image: Mapping[str, Any]) -> tuple[float, float]:
    width, height = image.get("width"), image.get("height")
    if isinstance(width, int | float) and isinstance(height, int | float) and width > 0 and height > 0:
        return number_in(width), number_in(height)
    return UNTOLD


def _split_of_file(name: str) -> str | None:
    stem = name.rpartition("/")[2].rpartition(".")[0]
    return next((split for word in stem.replace("-", "_").split("_") if (split := split_of(word))), None)


class _Places:
    """Where the photographs are that an export names."""

    def __init__(self, tree: Tree, photos: Sequence[str]) -> None:
        self.top, self.there, self.names = tree.top, set(photos), by_name(photos)

    def of(self, file: str, json_file: str, split: str | None) -> str | None:
        """The photograph of an entry: beside the file, from the top, or the only one of that name.

        Another of its name in a folder that the entry does not name, or in another split, is not it.

        Raises:
            DataError: several may be meant.
        """
        for base in (posixpath.dirname(json_file), ""):
            path = posixpath.normpath(posixpath.join(base, file))
            if path in self.there:
                return path
        file = posixpath.normpath(file)
        same = self.names.get(file.rpartition("/")[2], [])
        if "/" in file:
            same = [path for path in same if path.endswith(f"/{file}") or ("/" in path and file.endswith(f"/{path}"))]
        if split:
            fitting = [path for path in same if split_in_path(path) == split]
            same = fitting or [path for path in same if split_in_path(path) is None]
        if len(same) > 1:
            raise DataError(
                f"{self.top / json_file} names {file}, and {len(same)} photos are called so: {some(same)}.",
                todo="Let its file_name tell the folder.",
            )
        return same[0] if same else None
