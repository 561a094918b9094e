"""The rows of a table, whatever its columns are called: which file, which split, which classes."""

from __future__ import annotations

import ast
import posixpath
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dapt.console import warn
from dapt.data.read.aliases import CLASS_KEYS, IMAGE_KEYS, is_one, key, rank, split_word
from dapt.data.read.columns import Columns, find_columns
from dapt.data.read.row_paths import Files, place_rows, share_found, shared_folders, too_long
from dapt.data.read.several_labels import examples, find_mark, is_sure, parts_of, undivided
from dapt.data.read.table import LIST_MARK, Table
from dapt.data.read.table_file import read_table
from dapt.data.read.table_splits import row_splits
from dapt.errors import DataError
from dapt.strict import nfc

NOTHING = frozenset("nan NaN NAN -nan -NaN <NA> NA N/A n/a None NULL null Null #NA".split())  # as pandas reads them
PERHAPS = frozenset("unknown none missing unlabelled unlabeled undefined unspecified ? - --".split())
MISTAKES = frozenset({"#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"})  # of formulas
BOXES = ({"xmin", "ymin", "xmax", "ymax"}, {"x1", "y1", "x2", "y2"}, {"bbox"}, {"boundingbox"})
LOOKED_AT = 50  # rows by which it is told whether paths are relative to the table or to the folder above


@dataclass
class Row:
    """A row of a table.

    Attributes:
        path, number, unit: where it stands. image, mask: as paths within the folder of the data; no mask is empty.
        split: or "all". label: text of the number of its class. names: of its classes. meta: other columns.
    """

    path: Path
    number: int
    unit: str
    image: str
    mask: str
    split: str
    label: str
    names: tuple[str, ...]
    meta: tuple[tuple[str, str], ...]

    @property
    def where(self) -> str:
        """Its place, for messages."""
        return f"{self.path}, {self.unit} {self.number}"


@dataclass
class Rows:
    """The rows of one table or of several, and what was found out about them."""

    rows: list[Row] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    one_hot: tuple[str, ...] = ()
    multi_label: bool = False


def add_rows(found: Rows, path: Path, split: str | None, root: Path, *, classless: bool = False) -> None:
    """Add the rows of a table.

    Args:
        split: of all its rows; None: its own column says it. root: the folder of the data.
        classless: a table without classes is no mistake.

    Raises:
        DataError: see `dapt.data.read.csv_index.read_tables`.
    """
    table = open_table(path)
    empty = _clean(table, [name for name in dict.fromkeys(table.columns) if key(name) in CLASS_KEYS])
    columns = find_columns(table, Files(path.parent), unlabelled=classless or split == "test")
    if columns.classname and key(columns.classname) not in CLASS_KEYS:
        empty += _clean(table, [columns.classname])
    named, mark = _class_cells(table, columns)
    splits = row_splits(table, columns.split, columns.flags)
    if split is not None:
        _check_split(split, splits, table)
        splits = [split] * len(splits)
    images, said = _files_of(table, columns.image, root, splits, path.stem)
    masks, said_of_masks = _files_of(table, columns.mask, root, splits, "masks")
    if columns.one_hot and found.rows and found.one_hot != columns.one_hot:
        raise DataError(f"{path} has other classes than the table beside it.", todo="Use the same columns in all.")
    found.one_hot = columns.one_hot
    rows: list[Row] = []
    used = columns.used
    for (number, cells), image, mask, part in zip(table.rows, images, masks, splits, strict=True):
        if not image:
            raise DataError(
                f"{path}, {table.unit} {number}: there is no path of an image.", todo="Fill it in, or remove the row."
            )
        names = parts_of(nfc(cells.get(named, "")), mark)
        if columns.one_hot:
            names = [name for name in columns.one_hot if is_one(cells.get(name, ""))]
        found.multi_label |= mark is not None or len(names) > 1
        rows.append(
            Row(
                path,
                number,
                table.unit,
                _inside(image, cells[columns.image], table, number),
                _inside(mask, cells.get(columns.mask or "", ""), table, number) if mask else "",
                part,
                cells.get(columns.label, "") if columns.label else "",
                tuple(names),
                tuple((key, value) for key, value in cells.items() if key not in used),
            )
        )
    itself = next((row for row in rows if row.mask == row.image), None)
    if itself is not None:
        raise DataError(
            f"{itself.where}: the mask of {itself.image} is the image itself.",
            todo="Write the path of its mask there, or leave the column out.",
        )
    boxes = _without_boxes(rows, table)
    found.rows += rows if boxes is None else boxes
    said = [*table.guessed, *columns.said, *said, *(f"masks: {each}" for each in said_of_masks)]
    if empty:
        words = ", ".join(f"'{word}'" for word in sorted(set(empty)))
        said.append(f"{len(empty)} cells without a class ({words}) are taken to be unlabelled")
    odd = Counter(name for row in rows for name in row.names if name.lower() in PERHAPS)
    said += [
        f"'{name}' is a class, of {count} images; leave the cells empty if it is none" for name, count in odd.items()
    ]
    if boxes is not None:
        said.append(f"it lists boxes; {len(rows) - len(boxes)} further boxes of the same images are left out")
    if mark is not None:
        divided = "in lists" if mark == LIST_MARK else f"divided by '{mark}'"
        said.append(f"images may show several classes ('{named}', {divided})")
        if not is_sure(table.column(named), mark):
            off = "call the column 'classname'" if mark != "|" else "write them without it"
            warn(
                f"{path}: cells of '{named}' are {divided} into several classes: {examples(table.column(named), mark)}."
                f" If these are names of one class each, {off}."
            )
    elif named and (whole := undivided(table.column(named), named)):
        said.append(f"'{whole[0]}' is taken to be one class")
    found.guessed += [f"{path.name}: {each}." for each in said]


def open_table(path: Path, files: Files | None = None) -> Table:
    """Read a table; the header of two columns becomes a row where it names a file there, and no column.

    Args:
        files: among which it may; None: those of its folder.

    Raises:
        DataError: see `read_table`.
    """
    table = read_table(path)
    _find_header(table, files or Files(path.parent))
    return table


def _find_header(table: Table, files: Files) -> None:
    if len(table.columns) != 2 or table.unit != "line" or not all(table.columns):
        return
    first, second = table.columns
    if any(key(name) in CLASS_KEYS or rank(name, IMAGE_KEYS) < len(IMAGE_KEYS) for name in (first, second)):
        return
    if share_found([first], files.folder, files) != 1:
        return
    rows = [(number, {"image": cells[first], "label": cells[second]}) for number, cells in table.rows]
    table.rows = [(1, {"image": first, "label": second}), *rows]
    table.columns = ["image", "label"]
    table.guessed.append("it has no header: paths and classes are taken to be its two columns")


def _list_of(cell: str) -> str:
    """A cell with a list as Python writes it, ``['cat', 'dog']``, as that of a JSON list."""
    try:
        values = ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return cell
    return LIST_MARK.join(map(str, values)) if isinstance(values, list) else cell


def _read_lists(table: Table, name: str) -> None:
    """Read the cells of a column that are lists written as text, if all are."""
    cells = [cell for cell in table.column(name) if cell]
    if cells and all(cell.startswith("[") and cell.endswith("]") and len(cell) < 10_000 for cell in cells):
        for _, row in table.rows:
            row[name] = _list_of(row.get(name, ""))
        table.lists.add(name)


def _clean(table: Table, names: Iterable[str]) -> list[str]:
    """Empty the cells of columns that hold no value for other programs; what stood in them.

    Raises:
        DataError: a cell holds what a spreadsheet shows instead of a value.
    """
    found = []
    for name in names:
        for number, cells in table.rows:
            cell = cells.get(name, "")
            if cell in MISTAKES:
                raise DataError(
                    f"{table.path}, {table.unit} {number}: '{cell}' in the column '{name}' is a mistake of a formula.",
                    todo="Write the class there, or leave the cell empty.",
                )
            if cell in NOTHING:
                cells[name] = ""
                found.append(cell)
    return found


def _files_of(
    table: Table, column: str | None, root: Path, splits: Sequence[str], stem: str
) -> tuple[list[str], list[str]]:
    """The files that a column names, as paths within `root`, and what had to be found out.

    Paths are relative to the table, or else to `root`, where the table lies in a folder of its own.
    """
    folder = table.path.parent
    texts = table.column(column) if column else [""] * len(splits)
    for (number, _), text in zip(table.rows, texts, strict=True):
        if too_long(text):
            raise DataError(
                f"{table.path}, {table.unit} {number}: a path of {len(text):,} characters ('{text[:40]}...') is longer "
                "than a file can have.",
                todo="Write the path of the image there; is a quotation mark not closed?",
            )
    found = place_rows(texts, folder, splits, stem)
    if folder == root:
        return found.names, found.said
    inside = folder.relative_to(root).as_posix()
    looked_at = [name for name in found.names if name][:: max(1, len(texts) // LOOKED_AT)]
    if not looked_at or any((folder / name).is_file() for name in looked_at):
        return [_from(inside, name) for name in found.names], found.said
    joined = [_from(inside, text.replace("\\", "/")) for text in texts]
    if not any((root / name).is_file() for name in joined if name):
        joined = texts
    found = place_rows(joined, root, splits, stem)
    return found.names, found.said


def _from(inside: str, name: str) -> str:
    """A path from a folder, as a path from the one above it."""
    return posixpath.normpath(f"{inside}/{name}") if name and not name.startswith("/") else name


def _without_boxes(rows: list[Row], table: Table) -> list[Row] | None:
    """One row for each image of a table of boxes; None for a table of another kind, or with one box per image.

    Raises:
        DataError: an image has boxes of several classes.
    """
    keys = set(map(key, table.columns))
    if not any(each <= keys for each in BOXES):
        return None
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(row.image, row)
        if (other.names, other.label, other.split) != (row.names, row.label, row.split):
            raise DataError(
                f"{table.path} is a table of boxes, and {row.image} has boxes of several classes or in several splits"
                f" ({table.unit}s {other.number} and {row.number}).",
                todo="Write a table with one row per image; several classes of an image as 'cat|dog'.",
            )
    return list(first.values()) if len(first) < len(rows) else None


def _class_cells(table: Table, columns: Columns) -> tuple[str, str | None]:
    """The column with names of classes, which may be numbers of several, and what divides them; neither, if none."""
    for each in (columns.classname, columns.label):
        if each:
            _read_lists(table, each)
    if columns.label and (columns.classname is None or columns.label in table.lists):
        mark = find_mark(table.column(columns.label), columns.label)
        if mark is None:
            return "", None
        columns.classname, columns.label = columns.classname or columns.label, None
    named = columns.classname or ""
    if columns.label or not named:
        return named, None
    return named, find_mark(table.column(named), named)


def take_splits_of_folders(found: Rows) -> None:
    """Let folders called like splits divide the rows, where nothing else does and every path begins with one."""
    if not found.rows or any(row.split != "all" for row in found.rows):
        return
    shared = len(shared_folders(row.image for row in found.rows))
    names = [
        split_word(folders[shared]) if len(folders := row.image.split("/")) > shared + 1 else None for row in found.rows
    ]
    if None in names or len(set(names)) < 2 or "train" not in names:
        return
    for row, name in zip(found.rows, names, strict=True):
        row.split = name or "all"
    found.guessed.append("The splits are those of the folders in the paths of the table.")


def _check_split(split: str, splits: Sequence[str], table: Table) -> None:
    """Refuse a table of one split, by its name, whose rows say another one."""
    for (number, _), other in zip(table.rows, splits, strict=True):
        if other not in (split, "all"):
            raise DataError(
                f"{table.path}, {table.unit} {number}: the row says {other}, and the file is called like {split}.",
                todo="Give the table itself as the data if its column is right, or remove the column.",
            )


def _inside(name: str, text: str, table: Table, number: int) -> str:
    """A path by name only: an image folder may be a link to another disk.

    Raises:
        DataError: it leaves the folder, or is an address.
    """
    if "://" in text and "://" in text.removeprefix("file://"):
        raise DataError(
            f"{table.path}, {table.unit} {number}: '{text[:80]}' is an address, not a file.",
            todo="Download the images, and write their paths into the table.",
        )
    if name.startswith("/") or name[1:3] == ":/" or ".." in name.split("/"):
        raise DataError(
            f"{table.path}, {table.unit} {number}: '{text}' lies outside the folder of the index.",
            todo="Use paths relative to the CSV, within its folder.",
        )
    return name
