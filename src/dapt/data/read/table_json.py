"""Tables that are JSON: an object per line (``metadata.jsonl``), a list of objects, an object of paths and classes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dapt.data.read.aliases import split_word
from dapt.data.read.split_json import each_once
from dapt.data.read.table import LIST_MARK, Cells, Table, within_limits
from dapt.data.read.table_text import looks_like_image
from dapt.errors import DataError
from dapt.strict import is_file_name, shown

RECORDS = 'Write one object per line, such as {"file_name": "a.jpg", "label": "cat"}.'


def parse_json(text: str, path: Path, *, lines: bool) -> Table:
    """The table in a JSON text.

    Args:
        lines: every line is an object; otherwise the whole is one value.

    Raises:
        DataError: it is no such JSON, or of another shape.
    """
    table = Table(path, [], [], unit="line" if lines and not text.lstrip().startswith("[") else "entry")
    records = _lines(text, path) if table.unit == "line" else _whole(text, path)
    columns: dict[str, None] = {}
    names: list[str] = []

    def rows() -> Iterator[tuple[int, Cells]]:
        for number, record in records:
            cells = {}
            for name, value in record.items():
                if name.strip() not in columns:
                    columns[name.strip()] = None
                    names.append(name.strip())
                cells[name.strip()] = _cell(value, name.strip(), table, f"{path}, {table.unit} {number}")
            yield number, cells

    table.rows = list(within_limits(rows(), names, path))
    table.columns = names
    if not table.rows:
        raise DataError(f"{path} has no rows.")
    return table


def _lines(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            record = _parse(line, f"{path}, line {number}")
            if not isinstance(record, dict):
                raise DataError(f"{path}, line {number}: {shown(record)} is not an object.", todo=RECORDS)
            yield number, record


def _whole(text: str, path: Path) -> Iterable[tuple[int, dict[str, Any]]]:
    value = _parse(text, str(path))
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return enumerate(value, start=1)
    if isinstance(value, dict) and value and all(map(looks_like_image, value)):
        if all(isinstance(each, dict) for each in value.values()):
            return enumerate(({"image": image, **each} for image, each in value.items()), start=1)
        return enumerate(({"image": image, "label": label} for image, label in value.items()), start=1)
    listed = list(_by_class(value)) if isinstance(value, dict) else []
    if listed:
        return enumerate(listed, start=1)
    keys = set(value) if isinstance(value, dict) else set()
    if keys & {"train", "val", "test"}:
        todo = "It looks like a split file: name the data, and pass this with --split-file."
    elif {"images", "annotations"} <= keys:
        todo = "It looks like a COCO annotation file: give the folder of the export instead."
    else:
        todo = 'Write a list of objects such as {"file_name": "a.jpg", "label": "cat"}, or a CSV.'
    raise DataError(f"{path} is no list of rows.", todo=todo)


def _by_class(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of ``{"cat": ["a.jpg"]}``, and of such objects by split; none if it is of another shape."""
    if value and all(isinstance(each, dict) and split_word(name) for name, each in value.items()):
        for split, classes in value.items():
            rows = list(_by_class(classes))
            if classes and not rows:
                return
            yield from ({**row, "split": split} for row in rows)
        return
    if any(map(split_word, value)) or not all(isinstance(each, list) for each in value.values()):
        return
    if all(isinstance(file, str) and looks_like_image(file) for each in value.values() for file in each):
        yield from ({"image": file, "classname": name} for name, files in value.items() for file in files)


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=each_once)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: this is not JSON: {error}.", todo=RECORDS) from error


def _cell(value: Any, column: str, table: Table, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(each, str | int) and not isinstance(each, bool) for each in value):
        table.lists.add(column)
        return LIST_MARK.join(_text(str(each), where) for each in value)
    if isinstance(value, str):
        return _text(value, where)
    return json.dumps(value)


def _text(value: str, where: str) -> str:
    if "\0" in value or not is_file_name(value):
        raise DataError(f"{where}: {shown(value)} has a zero byte, or half of a character, in it.")
    return value.strip().replace(LIST_MARK, " ")
