"""Split files of the field: ``{"train": [[path, label, class name], ...], "val": [...], "test": [...]}``."""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import Any

from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import read_text
from dapt.strict import is_file_name, is_utf8, nfc, readable

SPLIT_NAMES = ("train", "val", "test")
SHOWN = 3

Row = tuple[str, int, str]


def read_split_json(
    path: Path, *, all_classes: bool = True, val_is_test: bool = False, shared_names: Collection[str] = ()
) -> dict[str, list[Row]]:
    """Read and check a split file; keys other than train, val and test are not read.

    Args:
        path: the file. all_classes: every label from 0 up must occur. val_is_test: validation on the test images is
            meant (ImageNet), so these two may share images. shared_names: names that several labels may have.

    Returns:
        rows (relative path, label, class name) per split, in the order of the file.

    Raises:
        DataError: not JSON or of another shape; a path that leaves the data set; labels left out, with two names or
            with the name of another; an image that occurs twice.
    """
    content = _parse(path)
    splits = {
        split: [_row(row, f"{path}, {split}, row {number}") for number, row in enumerate(content[split], start=1)]
        for split in SPLIT_NAMES
        if split in content
    }
    _check_labels(splits, path, all_classes, shared_names)
    _check_images(splits, path, val_is_test)
    return splits


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, for `json.loads`.

    Raises:
        ValueError: a key is there twice, of which the first would be lost.
    """
    table = dict(pairs)
    if len(table) < len(pairs):
        repeated = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {_short(repeated)} is there twice")
    return table


def class_names(splits: dict[str, list[Row]]) -> list[str]:
    """Class names in label order."""
    pairs = {label: name for rows in splits.values() for _, label, name in rows}
    return [pairs[label] for label in sorted(pairs)]


def _parse(path: Path) -> dict[str, Any]:
    again = "Get the split file again; it is not the published one."
    try:
        content = json.loads(read_text(path, LIST_BYTES), object_pairs_hook=each_once)
    except OSError as error:
        raise DataError(f"The split file {path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"The split file {path} is not JSON: {error}.", todo=again) from error
    if not isinstance(content, dict) or not any(split in content for split in SPLIT_NAMES):
        raise DataError(f"The split file {path} has no lists 'train', 'val' and 'test'.", todo=again)
    for split in SPLIT_NAMES:
        if not isinstance(content.get(split, []), list):
            raise DataError(f"In the split file {path} '{split}' is not a list.", todo=again)
    if not any(content.get(split) for split in SPLIT_NAMES):
        raise DataError(f"The split file {path} names no images.", todo=again)
    return content


def _row(row: Any, where: str) -> Row:
    if not (isinstance(row, list) and len(row) == 3):
        raise DataError(f"{where}: {_short(row)} is not [path, label, class name].")
    path, label, name = row
    if not (isinstance(path, str) and path and isinstance(name, str)):
        raise DataError(f"{where}: path and class name must be text, here they are {_short(path)} and {_short(name)}.")
    if isinstance(label, bool) or not isinstance(label, int) or label < 0:
        raise DataError(f"{where}: the label {_short(label)} is not a number from 0 up.")
    if not name.strip():
        raise DataError(f"{where}: the class name is empty.")
    for text, fits in ((path, is_file_name), (name, is_utf8)):
        if "\0" in text or not fits(text):
            raise DataError(f"{where}: {_short(text)} has a zero byte, or half of a character, in it.")
    plain = posixpath.normpath(path)
    if plain == "." or plain.startswith("/") or ".." in plain.split("/") or "\\" in plain:
        raise DataError(f"{where}: '{_cut(path)}' is not a relative path within the data set.")
    return plain, label, nfc(name)


def _short(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:  # as deep as can just be parsed
        return "a list or object with very many levels"
    except ValueError:  # more digits than Python writes
        return "a number of very many digits"
    return _cut(text)


def _cut(text: str) -> str:
    text = readable(text)
    return text if len(text) <= 60 else text[:57] + "..."


def _check_labels(splits: dict[str, list[Row]], path: Path, all_classes: bool, shared_names: Collection[str]) -> None:
    names: dict[int, str] = {}
    labels: dict[str, int] = {}
    for split, rows in splits.items():
        for number, (_, label, name) in enumerate(rows, start=1):
            if names.setdefault(label, name) != name:
                raise DataError(
                    f"{path}, {split}, row {number}: label {label} is '{name}' here and '{names[label]}' above.",
                    todo="Give every label one class name.",
                )
            if labels.setdefault(name, label) != label and name not in shared_names:
                raise DataError(
                    f"{path}, {split}, row {number}: '{name}' has label {label} here and {labels[name]} above.",
                    todo="Give every class its own name.",
                )
    gaps = max(names) + 1 - len(names)
    if gaps and all_classes:  # not listed all: one wrong label can leave out millions
        first = islice((str(label) for label in range(max(names)) if label not in names), SHOWN)
        raise DataError(
            f"Labels without images in {path}: {gaps} ({_some(list(first), gaps)}).",
            todo="Number the labels 0, 1, 2, ... .",
        )


def _check_images(splits: dict[str, list[Row]], path: Path, val_is_test: bool) -> None:
    found: dict[str, str] = {}
    within: list[str] = []
    across: list[str] = []
    for split, rows in splits.items():
        for image, _, _ in rows:
            first = found.setdefault(image, split)
            if first == split:
                continue
            if not (val_is_test and {first, split} == {"val", "test"}):
                across.append(f"{image} ({first} and {split})")
        within += [f"{image} ({split})" for image in _repeated([row[0] for row in rows])]
    if across:
        raise DataError(
            f"Images in two splits of {path}: {len(across)} ({_some(across)}).",
            todo="Keep every image in one split; what is trained on must not be tested on.",
        )
    if within:
        raise DataError(
            f"Images that occur twice in a split of {path}: {len(within)} ({_some(within)}).",
            todo="Remove the repeated rows.",
        )


def _repeated(images: list[str]) -> list[str]:
    return [image for image, count in Counter(images).items() if count > 1]


def _some(texts: list[str], count: int | None = None) -> str:
    """The first of `count` texts, by default all that are given."""
    count = len(texts) if count is None else count
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more
