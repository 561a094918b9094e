"""Cells that name several classes: ``cat|dog`` is two classes where the rest of the table says so, else one name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dapt.data.read.aliases import PLURAL_KEYS, key
from dapt.data.read.table import LIST_MARK

MARKS = ("|", ";", ",", " ")  # blanks only in columns of several labels


def find_mark(cells: Sequence[str], column: str) -> str | None:
    """What stands between the classes in the cells of a column; None: each cell is one class.

    A mark divides where every part of every divided cell is a class of other rows by itself. ``|``, which hardly any
    name has, and any mark but a blank in a column called ``labels`` or so, divides already where a part of half of
    these cells occurs in another cell; for commas, which names have (``Portland, OR``), one part has to be a class of
    other rows by itself, too.
    """
    names = set(cells) - {""}
    if any(LIST_MARK in name for name in names):
        return LIST_MARK
    plural = key(column) in PLURAL_KEYS
    for mark in MARKS:
        divided = [name for name in names if len(parts_of(name, mark)) > 1 or (mark != " " and mark in name)]
        if not divided or (mark == " " and not plural):
            continue
        alone = {name for name in names if name not in set(divided)}
        parts = [parts_of(name, mark) for name in divided]
        if all(part in alone for each in parts for part in each):
            return mark
        if mark == "," and not any(part in alone for each in parts for part in each):
            continue
        if mark == "|" or (plural and mark != " "):
            seen: dict[str, int] = {}
            for each in (*parts, *([name] for name in alone)):
                for part in each:
                    seen[part] = seen.get(part, 0) + 1
            if 2 * sum(any(seen[part] > 1 for part in each) for each in parts) >= len(parts):
                return mark
    return None


def parts_of(cell: str, mark: str | None) -> list[str]:
    """The classes that a cell names, each once."""
    if mark is None:
        return [cell] if cell else []
    return list(dict.fromkeys(part for each in cell.split(mark) if (part := each.strip())))


def is_sure(cells: Iterable[str], mark: str) -> bool:
    """Whether a division is no guess: all parts are classes of other rows, and names hardly have the mark."""
    names = set(cells) - {""}
    alone = {name for name in names if parts_of(name, mark) == [name]}
    return mark == LIST_MARK or (mark != " " and all(part in alone for name in names for part in parts_of(name, mark)))


def examples(cells: Iterable[str], mark: str) -> str:
    """Two cells that are divided, with their classes."""
    found = sorted({cell for cell in cells if len(parts_of(cell, mark)) > 1})
    return "; ".join(f"'{cell}' is {' and '.join(map(repr, parts_of(cell, mark)))}" for cell in found[:2])


def undivided(cells: Iterable[str], column: str) -> list[str]:
    """The names with a mark in them that may divide (a comma in columns of several), sorted: each is one class."""
    marks = "|;," if key(column) in PLURAL_KEYS else "|"
    return sorted({cell for cell in cells if any(mark in cell for mark in marks)})
