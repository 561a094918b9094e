"""Two columns that may both be the classes, names beside numbers, and columns of 0 and 1 that are a class each."""

from __future__ import annotations

from collections.abc import Sequence

from dapt.data.read.aliases import NAME_KEYS, is_bit, is_number, is_one, key, rank
from dapt.data.read.table import Table
from dapt.data.read.table_text import looks_like_image
from dapt.errors import DataError


def pairs_of(table: Table, one: str, other: str) -> set[tuple[str, str]]:
    """The pairs of cells of two columns that occur in rows, but for rows that lack both."""
    pairs = {(cells.get(one, ""), cells.get(other, "")) for _, cells in table.rows}
    return {pair for pair in pairs if any(pair)}


def one_to_one(table: Table, number: str, text: str) -> bool:
    """Whether two columns say the same in other words."""
    pairs = pairs_of(table, number, text)
    return len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


def names_of_numbers(table: Table, number: str, others: Sequence[str]) -> str | None:
    """The column of names of classes that are numbers: the only one of texts that says the same in each row."""
    found = []
    for name in others:
        cells = [cell for cell in table.column(name) if cell]
        distinct = set(cells)
        if key(name) != "name" and len(distinct) == len(cells):
            continue  # a note of each image, as it may be
        texts = name not in table.lists and not any(map(is_number, distinct)) and not any(map(_is_other, distinct))
        if texts and len(distinct) > 1 and one_to_one(table, number, name):
            found.append(name)
    called = [name for name in found if key(name) == "name"]
    found = called or found
    return found[0] if len(found) == 1 else None


def check_others(table: Table, chosen: str, texts: Sequence[str]) -> list[str]:
    """What is to be said of further columns that are called like classes, and say something else than the chosen one.

    Raises:
        DataError: one that is called so as clearly says something of its own.
    """
    said = []
    for name in texts:
        pairs = [pair for pair in pairs_of(table, chosen, name) if all(pair)]
        by_chosen, by_other = len({one for one, _ in pairs}), len({other for _, other in pairs})
        if len(pairs) == by_chosen == by_other:
            continue
        if rank(name, NAME_KEYS) == 0 and len(pairs) > max(by_chosen, by_other):
            raise DataError(
                f"{table.path} has several columns that may hold the classes: '{chosen}', '{name}'.",
                todo="Call the one that is meant 'classname', or the other one something else.",
            )
        said.append(f"'{chosen}' is taken for the classes, and not '{name}', which says something else")
    return said


def one_hot_columns(table: Table, others: Sequence[str]) -> tuple[str, ...]:
    """The columns of 0 and 1 (or 1 and nothing) that are a class each; none if there is no 1 or just one column.

    Raises:
        DataError: some cells of such a column are empty, or a column of texts may be the classes too.
    """
    found: list[str] = []
    gaps: list[str] = []
    for name in others:
        cells = set(table.column(name))
        if name in table.lists or not all(map(is_bit, cells)) or cells <= {""}:
            continue
        found.append(name)
        if "" in cells and any(cell and not is_one(cell) for cell in cells):
            gaps.append(name)
    if len(found) < 2 or not any(is_one(cell) for name in found for cell in set(table.column(name))):
        return ()
    if gaps:
        raise DataError(
            f"{table.path}: '{gaps[0]}' is a column of 0 and 1, and some of its cells are empty.",
            todo="Write 0 or 1 into each, or leave the column out.",
        )
    texts = [name for name in others if name not in found and repeat(table, name)]
    if texts:
        raise DataError(
            f"{table.path} has columns of 0 and 1 ({', '.join(found[:3])}), and '{texts[0]}', which may hold the "
            "classes.",
            todo=f"Call '{texts[0]}' 'classname' if it is meant, else leave it out of the table.",
        )
    return tuple(found)


def repeat(table: Table, name: str) -> bool:
    """Whether cells of a column are texts of which some occur again, as classes do."""
    cells = [cell for cell in table.column(name) if cell]
    odd = any(is_number(cell) or cell.startswith(("{", "[")) for cell in cells)
    return not odd and 0 < len(set(cells)) < len(cells)


def _is_other(cell: str) -> bool:
    return looks_like_image(cell) or cell.startswith(("{", "["))
