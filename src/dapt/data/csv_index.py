"""Data from a CSV index: ``image`` with ``label`` and/or ``classname``; optional ``mask``, ``split``, others."""

from __future__ import annotations

import csv
import posixpath
from pathlib import Path

from dapt.data.folder import SPLITS, divide
from dapt.data.items import UNLABELLED, ImageSet, Item, check_classes
from dapt.errors import DataError, did_you_mean

KNOWN = {"image", "label", "classname", "mask", "split"}


def read_csv(path: Path) -> ImageSet:
    """Read a CSV index. Paths are relative to the CSV and must stay in its folder.

    Rows whose label is -1 or empty are unlabelled: they serve for masks and prediction, not for training.
    Without a ``split`` column the rows are divided per class into 50% train, 20% val and 30% test.

    Raises:
        DataError: missing columns, unknown split names, paths outside the folder, contradicting labels.
    """
    rows = _rows(path)
    classes = _class_table(rows, path)
    by_name = {name: label for label, name in enumerate(classes)}
    items: dict[str, list[Item]] = {}
    for number, row in enumerate(rows, start=2):
        split = _split_of(row, path, number)
        item = Item(
            path=_inside(row["image"], path, number),
            label=_label_of(row, by_name, path, number),
            name=posixpath.normpath(row["image"]),
            mask=_inside(row["mask"], path, number) if row.get("mask") else None,
            meta=tuple((key, value) for key, value in row.items() if key not in KNOWN),
        )
        items.setdefault(split, []).append(item)
    splits = {split: tuple(values) for split, values in items.items()}
    if "all" in splits:
        splits = divide(splits["all"])
    name = path.resolve().parent.name if path.stem == "index" else path.stem
    return check_classes(ImageSet(name, path.parent, tuple(classes), splits))


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = [column.strip() for column in reader.fieldnames or []]
            reader.fieldnames = columns
            rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"The index {path} cannot be read: {error}.") from error
    if "image" not in columns:
        raise DataError(
            f"{path} has no 'image' column (it has: {', '.join(columns) or 'none'}).",
            todo=did_you_mean("image", columns),
        )
    if "label" not in columns and "classname" not in columns:
        raise DataError(
            f"{path} has neither a 'label' nor a 'classname' column (it has: {', '.join(columns)}).",
            todo="Add one of them.",
        )
    if not rows:
        raise DataError(f"{path} has a header but no rows.")
    return rows


def _class_table(rows: list[dict[str, str]], path: Path) -> list[str]:
    """Class names by label."""
    pairs: dict[int, str] = {}
    names = sorted({row["classname"] for row in rows if row.get("classname")})
    if not any(row.get("label") for row in rows):
        return [name.replace("_", " ") for name in names]
    for number, row in enumerate(rows, start=2):
        label = _integer(row.get("label", ""), path, number)
        if label == UNLABELLED:
            continue
        name = (row.get("classname") or f"class {label}").replace("_", " ")
        if pairs.setdefault(label, name) != name:
            raise DataError(
                f"{path}, line {number}: label {label} is '{name}' here and '{pairs[label]}' above.",
                todo="Give every label one class name.",
            )
    missing = next((label for label in range(max(pairs, default=0)) if label not in pairs), None)
    if missing is not None:
        raise DataError(f"{path}: no row has the label {missing}.", todo="Number the labels 0, 1, 2, ... .")
    return [pairs[label] for label in sorted(pairs)]


def _integer(text: str, path: Path, number: int) -> int:
    if text == "":
        return UNLABELLED
    try:
        value = int(text.removesuffix(".0"))  # tables saved by other programs write whole numbers as 3.0
    except ValueError:
        raise DataError(
            f"{path}, line {number}: the label '{text}' is not a number.",
            todo="Put numbers into 'label' and names into 'classname'.",
        ) from None
    if value < UNLABELLED:
        raise DataError(f"{path}, line {number}: the label {value} is negative.")
    return value


def _label_of(row: dict[str, str], by_name: dict[str, int], path: Path, number: int) -> int:
    if row.get("label"):
        return _integer(row["label"], path, number)
    name = row.get("classname", "").replace("_", " ")
    return by_name[name] if name and name in by_name else UNLABELLED


def _split_of(row: dict[str, str], path: Path, number: int) -> str:
    if "split" not in row:
        return "all"
    name = row["split"].lower()
    if name not in SPLITS:
        raise DataError(f"{path}, line {number}: there is no split '{row['split']}'.", todo="Use train, val or test.")
    return SPLITS[name]


def _inside(text: str, path: Path, number: int) -> Path:
    given = Path(posixpath.normpath(text))  # by name only: an image folder may be a link to another disk
    if given.is_absolute() or ".." in given.parts:
        raise DataError(
            f"{path}, line {number}: '{text}' lies outside the folder of the index.",
            todo="Use paths relative to the CSV, within its folder.",
        )
    return path.parent / given
