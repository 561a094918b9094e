"""Data from a CSV index: ``image`` with ``label`` and/or ``classname``; optional ``mask``, ``split``, others."""

from __future__ import annotations

import csv
import io
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from dapt.data.items import UNLABELLED, ImageSet, Item, check_classes
from dapt.data.read.folder import SPLITS, divide
from dapt.errors import DataError, did_you_mean
from dapt.limits import CSV_BYTES, CSV_CELLS, CSV_COLUMNS, CSV_FIELD
from dapt.regular import open_regular, reason

KNOWN = {"image", "label", "classname", "mask", "split"}
USED = (*sorted(KNOWN), "group")
SHOWN = 3

Rows = dict[int, dict[str, str]]  # by line of the file, the last where a row has several


def read_csv(path: Path) -> ImageSet:
    """Read a CSV index. Paths are relative to the CSV and must stay in its folder.

    Rows whose label is -1 or empty are unlabelled: they serve for masks and prediction, not for training.
    Without a ``split`` column the rows are divided per class into 50% train, 20% val and 30% test. Every image has one
    row: what is trained on must not be tested on, and a repeated row would count twice.

    Raises:
        DataError: missing or repeated columns, rows with more fields than the header, unknown split names, paths
            outside the folder, contradicting labels, a class without a label where others have one, an image in two
            rows, or more than `dapt.limits` allows.
    """
    rows = _rows(path)
    classes = _class_table(rows, path)
    by_name = {name: label for label, name in enumerate(classes)}
    items: dict[str, list[Item]] = {}
    placed: list[tuple[int, str, Item]] = []
    for number, row in rows.items():
        split = _split_of(row, path, number)
        item = Item(
            path=_inside(row["image"], path, number),
            label=_label_of(row, by_name, path, number),
            name=posixpath.normpath(row["image"]),
            mask=_inside(row["mask"], path, number) if row.get("mask") else None,
            meta=tuple((key, value) for key, value in row.items() if key not in KNOWN),
        )
        items.setdefault(split, []).append(item)
        placed.append((number, split, item))
    _check_images(placed, classes, path)
    splits = {split: tuple(values) for split, values in items.items()}
    if "all" in splits:
        splits = divide(splits["all"])
    name = path.resolve().parent.name if path.stem == "index" else path.stem
    return check_classes(ImageSet(name, path.parent, tuple(classes), splits, divided="all" in items))


def _check_images(placed: list[tuple[int, str, Item]], classes: list[str], path: Path) -> None:
    """Refuse an image that several rows name, the worst kind first."""
    first: dict[str, tuple[int, str, Item]] = {}
    across: list[str] = []
    labels: list[str] = []
    again: list[str] = []
    for number, split, item in placed:
        other, before, known = first.setdefault(item.name, (number, split, item))
        if other == number:
            continue
        if before != split:
            across.append(f"{item.name} (line {other}: {before}, line {number}: {split})")
        elif known.label != item.label:
            told = [_shown(each.label, classes) for each in (known, item)]
            labels.append(f"{item.name} (line {other}: {told[0]}, line {number}: {told[1]})")
        else:
            again.append(f"{item.name} (lines {other} and {number})")
    for found, what, todo in (
        (across, "in two splits of", "Keep every image in one split; what is trained on must not be tested on."),
        (labels, "with two labels in", "Keep the row that is right; an image has one class here."),
        (again, "that occur twice in", "Remove the repeated rows: they would count twice."),
    ):
        if found:
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise DataError(f"Images {what} {path}: {len(found)} ({', '.join(found[:SHOWN])}{more}).", todo=todo)


def _shown(label: int, classes: list[str]) -> str:
    return f"{label} '{classes[label]}'" if label != UNLABELLED else "none"


def _rows(path: Path) -> Rows:
    try:
        with (
            open_regular(path, CSV_BYTES) as content,
            io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as file,
        ):
            reader = csv.DictReader(file)
            columns = [_column(column) for column in reader.fieldnames or []]
            reader.fieldnames = columns
            rows = dict(_cells(reader, columns, path))
    except csv.Error as error:
        todo = (
            f"A field may have {CSV_FIELD:,} characters; is a quotation mark not closed?"
            if "limit" in str(error)
            else ""
        )
        raise DataError(f"The index {path} cannot be read: {error}.", todo=todo) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The index {path} cannot be read: {reason(error)}.") from error
    for name in USED:
        if columns.count(name) > 1:
            raise DataError(
                f"{path} has the column '{name}' {columns.count(name)} times.", todo="Keep the one that is meant."
            )
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


def _column(text: str) -> str:
    """The name of a column; those that mean something may be written with capitals."""
    name = text.strip()
    return name.lower() if name.lower() in USED else name


def _cells(reader: csv.DictReader[str], columns: list[str], path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with their lines, as long as they are not more than can be meant.

    Raises:
        DataError: too many columns or cells, or a row that goes on beyond the header.
    """
    if len(columns) > CSV_COLUMNS:
        raise DataError(f"{path} has {len(columns):,} columns, an index of up to {CSV_COLUMNS:,} is read.")
    for count, row in enumerate(reader, start=1):
        if count * len(columns) > CSV_CELLS:
            raise DataError(
                f"{path} has more than {CSV_CELLS:,} cells ({len(columns)} columns, more than {count - 1:,} rows).",
                todo="Leave out columns other than image, label, classname, mask, split and group.",
            )
        beyond: Sequence[str] = row.get(None) or ()  # what the reader has no column for
        if any(value.strip() for value in beyond):
            raise DataError(
                f"{path}, line {reader.reader.line_num}: {len(columns) + len(beyond)} fields, the header has"
                f" {len(columns)}.",
                todo="Put fields with a comma in them into quotation marks.",
            )
        yield reader.reader.line_num, {key: (value or "").strip() for key, value in row.items() if key}


def _class_table(rows: Rows, path: Path) -> list[str]:
    """Class names by label."""
    pairs: dict[int, str] = {}
    names = sorted({row["classname"] for row in rows.values() if row.get("classname")})
    if not any(row.get("label") for row in rows.values()):
        return [name.replace("_", " ") for name in names]
    for number, row in rows.items():
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
    if name and name not in by_name:
        raise DataError(
            f"{path}, line {number}: the class '{name}' has no label here, nor in any other row.",
            todo="Give it a label, or -1 for an image without one.",
        )
    return by_name[name] if name else UNLABELLED


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
