"""COCO: JSON files with ``images``, ``annotations`` and ``categories`` (Lin et al., ECCV 2014; cocodataset.org).

Roboflow writes ``_annotations.coco.json`` into each split folder, FiftyOne ``labels.json`` beside ``data/``, COCO
itself ``annotations/instances_train2017.json`` beside ``train2017/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dapt.data.outlines import Outline
from dapt.data.read.exports.base import Export, by_name, merged, read_json_file, some, split_in_path
from dapt.data.read.exports.coco_outlines import outlines_of
from dapt.data.read.split_names import split_of
from dapt.data.read.tree import Tree
from dapt.errors import DataError

TITLE = "COCO"
MANY = 50  # JSON files, one per photograph, are those of another tool
_KEYS = ("images", "annotations", "categories")


def read_coco(tree: Tree, photos: Sequence[str]) -> Export | None:
    """The export, if there are JSON files of COCO; None if there are none.

    Raises:
        DataError: such a file is damaged, or names a photograph that is not there.
    """
    files = [name for name, _ in tree.others() if name.lower().endswith(".json")]
    stems = {photo.rpartition(".")[0] for photo in photos}
    files = [name for name in files if name.rpartition(".")[0] not in stems]
    if not files or len(files) > MANY:
        return None
    found = {}
    for name in files:
        content = read_json_file(tree.top / name)
        if isinstance(content, dict) and all(isinstance(content.get(key), list) for key in _KEYS):
            found[name] = content
    if not found:
        return None
    return _read(tree, photos, found)


def _read(tree: Tree, photos: Sequence[str], found: Mapping[str, dict[str, Any]]) -> Export:
    tables = {name: _categories(content, name) for name, content in found.items()}
    export = Export(TITLE, merged(list(tables.values())), files=sorted(found))
    numbers = {name: label for label, name in enumerate(export.names)}
    there, names = set(photos), by_name(photos)
    absent: list[str] = []
    for name, content in found.items():
        split = split_in_path(name) or _split_of_file(name)
        classes = tables[name]
        images: dict[Any, set[int]] = {image.get("id"): set() for image in content["images"] if isinstance(image, dict)}
        sizes = {image.get("id"): _size(image) for image in content["images"]}
        outlines: dict[Any, list[Outline]] = {number: [] for number in images}
        for annotation in content["annotations"]:
            try:
                images[annotation["image_id"]].add(numbers[classes[annotation["category_id"]]])
                outlines[annotation["image_id"]] += outlines_of(annotation, sizes[annotation["image_id"]])
            except (KeyError, TypeError):
                raise DataError(
                    f"{tree.top / name} has an annotation without an image or category that is there.",
                    todo="Export the data again.",
                ) from None
        for image in content["images"]:
            file = str(image.get("file_name", "")).replace("\\", "/")
            path = _path_of(file, name, split, there, names)
            if path is None:
                absent.append(file)
                continue
            before = set(export.shown.get(path, ()))
            export.shown[path] = tuple(sorted(before | images[image.get("id")]))
            if split:
                export.splits[path] = split
            if outlines[image.get("id")]:
                export.outlines[path] = outlines[image.get("id")]
    if absent:
        raise DataError(
            f"{len(absent)} {'photo' if len(absent) == 1 else 'photos'} that {some(sorted(found))} names "
            f"{'is' if len(absent) == 1 else 'are'} not in {tree.top}: {some(absent)}.",
            todo="Put them there, or export the data again with its photos.",
        )
    return export


def _size(image: Mapping[str, Any]) -> tuple[float, float] | None:
    width, height = image.get("width"), image.get("height")
    if isinstance(width, int | float) and isinstance(height, int | float) and width > 0 and height > 0:
        return float(width), float(height)
    return None


def _categories(content: Mapping[str, Any], name: str) -> dict[int, str]:
    try:
        return {each["id"]: str(each["name"]) for each in content["categories"]}
    except (KeyError, TypeError):
        raise DataError(f"{name} has a category without id or name.", todo="Export the data again.") from None


def _split_of_file(name: str) -> str | None:
    stem = name.rpartition("/")[2].rpartition(".")[0]
    return next((split for word in stem.replace("-", "_").split("_") if (split := split_of(word))), None)


def _path_of(
    file: str, json_file: str, split: str | None, there: set[str], names: Mapping[str, Sequence[str]]
) -> str | None:
    """The photograph of an entry: beside the file, from the top, or the only one of that name (in its split)."""
    beside = json_file.rpartition("/")[0]
    for base in (f"{beside}/" if beside else "", ""):
        if base + file in there:
            return base + file
    same = names.get(file.rpartition("/")[2], [])
    if len(same) > 1 and split:
        same = [path for path in same if split_in_path(path) == split]
    same = [path for path in same if path.endswith(f"/{file}")] or same
    return same[0] if len(same) == 1 else None
