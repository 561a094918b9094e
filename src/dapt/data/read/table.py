"""`Table`: the rows of a file that says which image is of which class, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dapt.errors import DataError
from dapt.limits import CSV_CELLS, CSV_COLUMNS

LIST_MARK = "\x1f"  # between the values of a cell that is a list: no text file has it

Cells = dict[str, str]


@dataclass
class Table:
    """A table as it stands in its file.

    Attributes:
        path: the file. columns: as they are called there. rows: line (or entry) of the file and cells by column.
        guessed: sentences on how it was read, where that had to be found out.
        lists: columns of which a cell is a list; its values are joined by `LIST_MARK`.
        unit: what a row's number counts.
    """

    path: Path
    columns: list[str]
    rows: list[tuple[int, Cells]]
    guessed: list[str] = field(default_factory=list)
    lists: set[str] = field(default_factory=set)
    unit: str = "line"

    def column(self, name: str) -> list[str]:
        """The cells of a column, empty where a row lacks it."""
        return [cells.get(name, "") for _, cells in self.rows]


def within_limits(rows: Iterable[tuple[int, Cells]], columns: list[str], path: Path) -> Iterator[tuple[int, Cells]]:
    """The rows, as long as they are not more than can be meant.

    Args:
        columns: may grow while rows are read.

    Raises:
        DataError: too many columns or cells, see `dapt.limits`.
    """
    for count, row in enumerate(rows, start=1):
        check_columns(columns, path)
        if count * len(columns) > CSV_CELLS:
            raise DataError(
                f"{path} has more than {CSV_CELLS:,} cells ({len(columns)} columns, more than {count - 1:,} rows).",
                todo="Leave out columns other than image, label, classname, mask, split and group.",
            )
        yield row


def check_columns(columns: list[str], path: Path) -> None:
    """Refuse more columns than can be meant.

    Raises:
        DataError: see `dapt.limits`.
    """
    if len(columns) > CSV_COLUMNS:
        raise DataError(f"{path} has {len(columns):,} columns, an index of up to {CSV_COLUMNS:,} is read.")
