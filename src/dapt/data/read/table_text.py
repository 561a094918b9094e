"""Tables that are text: delimiter, quotes and header are found out, and said where they are not the usual ones."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from dapt.data.read.aliases import CLASS_KEYS, IMAGE_KEYS, key
from dapt.data.read.folder import IMAGE_TYPES
from dapt.data.read.table import Cells, Table, check_columns, within_limits
from dapt.errors import DataError
from dapt.limits import CSV_FIELD

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "|"}
ONE = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a |"}
LISTS = {".txt", ".lst", ".list"}  # of "path label" lines, with blanks between them
SAMPLE = 20  # rows by which the delimiter is known
_SEP = re.compile(r'"?sep=(?P<sep>[^"\r\n])"?\s*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_IMAGES = frozenset().union(*IMAGE_KEYS)


def looks_like_image(text: str) -> bool:
    """Whether a cell is the name of a picture file, by its ending."""
    return PurePosixPath(text.strip().replace("\\", "/")).suffix.lower() in IMAGE_TYPES


def parse_text(text: str, path: Path) -> Table:
    """The table in a text.

    Raises:
        DataError: a row has more fields than the header, there is no header and more than a path and a class per row,
            or it is no table.
    """
    guessed: list[str] = []
    skipped = 0
    first = _SEP.match(text)
    if first:  # how Excel is told
        text, skipped = text[first.end() :], 1
    text, comments = _without_comments(text)
    if comments:
        skipped += comments
        guessed.append(f"{comments} lines of comments above its header are left out")
    delimiter = first["sep"] if first else _delimiter(text, path)
    if delimiter == " ":
        return _list(text, path)
    quote = _quote(text, delimiter)
    if delimiter != ",":
        guessed.append(f"the columns are divided by {DELIMITERS.get(delimiter, repr(delimiter))}")
    if quote != '"':
        guessed.append("texts stand in single quotation marks")
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, skipinitialspace=True)
        header = next((row for row in lines if any(cell.strip() for cell in row)), [])
        columns, start = [_column(cell) for cell in header], lines.line_num
        if _no_header(header):
            columns, start = _two_columns(header, path), 0
            guessed.append("it has no header: paths and classes are taken to be its two columns")
            lines = csv.reader(
                io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, skipinitialspace=True
            )
        check_columns(columns, path)
        if columns and not columns[0] and columns.count("") == 1 and not any(key(name) in _IMAGES for name in columns):
            columns[0] = "image"  # as pandas writes an index
            guessed.append("its first column, which has no name, is taken to name the images")
        rows = list(within_limits(_cells(lines, columns, path, skipped, delimiter), columns, path))
    except csv.Error as error:
        todo = (
            f"A field may have {CSV_FIELD:,} characters; is a quotation mark not closed?"
            if "limit" in str(error)
            else ""
        )
        raise DataError(f"The index {path} cannot be read: {error}.", todo=todo) from error
    if not rows and columns and start:
        raise DataError(f"{path} has a header but no rows.")
    return Table(path, columns, rows, guessed)


def _without_comments(text: str) -> tuple[str, int]:
    """The text from its header on, and how many lines that begin with ``#`` stand above; ``#id,label`` is a header."""
    lines = text.lstrip("\r\n").splitlines(keepends=True)
    above = next((place for place, line in enumerate(lines) if not line.startswith("#")), 0)
    if not above:
        return text, 0
    last, after = lines[above - 1].lstrip("# \t").strip(), lines[above].strip()
    for delimiter in DELIMITERS:
        cells = [key(cell.strip(" \"'")) for cell in last.split(delimiter)]
        known = bool(_IMAGES & set(cells)) + bool(CLASS_KEYS & set(cells))
        if len(cells) > 1 and known and len(cells) == len(after.split(delimiter)) and not _header(after, delimiter):
            return "".join([last + "\n", *lines[above:]]), above - 1
    return "".join(lines[above:]), above + len(text) - len(text.lstrip("\r\n"))


def _header(line: str, delimiter: str) -> bool:
    return bool((_IMAGES | CLASS_KEYS) & {key(cell.strip(" \"'")) for cell in line.split(delimiter)})


def _cells(
    lines: Iterator[list[str]], columns: list[str], path: Path, skipped: int, delimiter: str
) -> Iterator[tuple[int, Cells]]:
    for row in lines:
        if not any(cell.strip() for cell in row):  # spreadsheets write empty rows at the end
            continue
        number = lines.line_num + skipped  # type: ignore[attr-defined]
        if any(cell.strip() for cell in row[len(columns) :]):
            raise DataError(
                f"{path}, line {number}: {len(row)} fields, the header has {len(columns)}.",
                todo=f"Put fields with {ONE.get(delimiter, repr(delimiter))} in them into quotation marks.",
            )
        cells = dict.fromkeys(columns, "") | dict(zip(columns, map(str.strip, row), strict=False))
        cells.pop("", None)
        yield number, cells


def _column(text: str) -> str:
    return text.strip()


def _delimiter(text: str, path: Path) -> str:
    """What divides the columns: that under which the header says most, then that by which rows have equal lengths."""
    lines = [line for line in islice(io.StringIO(text, newline=None), SAMPLE * 5) if line.strip()][:SAMPLE]
    scores = {delimiter: _score(lines, delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])  # the first of equals: commas
    if scores[best][:2] == (0, 0) and path.suffix.lower() in LISTS and _is_list(lines):
        return " "
    return best


def _score(lines: list[str], delimiter: str) -> tuple[int, int, int]:
    try:
        rows = list(
            csv.reader(lines, delimiter=delimiter, quotechar=_quote("".join(lines), delimiter), skipinitialspace=True)
        )
    except csv.Error:
        return 0, 0, 0
    if not rows:
        return 0, 0, 0
    keys = {key(cell) for cell in rows[0]}
    known = bool(keys & _IMAGES) + bool(keys & CLASS_KEYS)
    even = len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows)
    return known if len(rows[0]) > 1 else 0, int(even), len(rows[0]) if even else 0


def _quote(text: str, delimiter: str) -> str:
    line = text.lstrip().split("\n", 1)[0].rstrip()
    cells = line.split(delimiter)
    single = len(cells) > 1 and all(len(cell) > 2 and cell[0] == cell[-1] == "'" for cell in map(str.strip, cells))
    return "'" if single else '"'


def _no_header(row: list[str]) -> bool:
    """Whether the first row is data already: it names a picture, and no column."""
    return any(map(looks_like_image, row)) and not any(key(cell) in _IMAGES for cell in row)


def _two_columns(row: list[str], path: Path) -> list[str]:
    cells = [cell for cell in row if cell.strip()]
    if len(cells) == 2 and len(row) >= 2 and sum(map(looks_like_image, cells)) == 1:
        found = ["image" if looks_like_image(cell) else "label" if cell.strip() else "" for cell in row]
        return found
    raise DataError(
        f"{path} has no header: its first line is '{','.join(row)[:80]}'.",
        todo="Put a line with the names of the columns in front, such as image,classname.",
    )


def _is_list(lines: list[str]) -> bool:
    parts = [line.split(None) for line in lines]
    named = all(len(part) >= 2 and looks_like_image(" ".join(part[:-1])) for part in parts)
    return bool(parts) and (named or all(len(part) == 2 for part in parts))


def _list(text: str, path: Path) -> Table:
    """Lines of a path and a label, as the lists of ImageNet have them; a path may hold blanks."""

    def lines() -> Iterator[tuple[int, Cells]]:
        for number, line in enumerate(io.StringIO(text, newline=None), start=1):
            if not line.strip():
                continue
            image, _, label = line.strip().replace("\t", " ").rpartition(" ")
            if not image or (" " in image.strip() and not looks_like_image(image)):
                raise DataError(
                    f"{path}, line {number}: '{line.strip()[:80]}' is not a path and a label.",
                    todo="Write 'path label' in every line, or a table with a header such as image,classname.",
                )
            yield number, {"image": image.strip(), "label": label}

    rows = list(within_limits(lines(), ["image", "label"], path))
    return Table(path, ["image", "label"], rows, ["it is a list of lines with a path and a class"])
