"""Which split each row of a table is in: columns of splits, columns of true and false, and what contradicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dapt.data.read.aliases import FLAG_KEYS, LOOSE_SPLIT_KEYS, SPLIT_KEYS, is_bit, is_one, key, split_word
from dapt.data.read.table import Table
from dapt.errors import DataError

SHOWN = 3
WAY_OUT = "Write train, val or test into it; or call it otherwise if it is not about splits."
# Words of published tables, by the column that has them.
KNOWN = {
    "usage": {"training": "train", "publictest": "val", "privatetest": "test"},  # FER2013
    "partition": {"0": "train", "1": "val", "2": "test"},  # CelebA
}


def find_split_columns(
    table: Table, exact: str | None, taken: set[str]
) -> tuple[str | None, tuple[str, ...], list[str]]:
    """The column of splits, the columns of true and false that are splits, and what is to be said of them.

    Args:
        exact: the column called ``split``. taken: columns that are something else.

    Raises:
        DataError: a column is called like splits, or has some, and is not understood; or two contradict each other.
    """
    said: list[str] = []
    words = [exact] if exact else []
    strange: list[str] = []
    for name in dict.fromkeys(table.columns):
        if key(name) not in SPLIT_KEYS or name in taken or name == exact:
            continue
        cells = set(table.column(name)) - {""}
        others = sorted(cell for cell in cells if split_in(cell, name, cells) is None)
        if cells and not others:
            words.append(name)
        elif len(others) < len(cells):
            if exact is None:
                raise DataError(
                    f"{table.path}: the column '{name}' has splits, and also {_some(others)}.", todo=WAY_OUT
                )
        elif cells:
            strange.append(name)
    flags = tuple(name for name in dict.fromkeys(table.columns) if key(name) in FLAG_KEYS and name not in taken)
    for name in flags:
        others = sorted({cell for cell in table.column(name) if not is_bit(cell)})
        if others:
            raise DataError(f"{table.path}: the column '{name}' has {_some(others)}.", todo="Write 0 or 1 into it.")
    if not words and not flags:
        for name in strange:
            others = sorted(set(table.column(name)) - {""})
            if key(name) not in LOOSE_SPLIT_KEYS:
                raise DataError(
                    f"{table.path}: the column '{name}' is called like one of splits, and has {_some(others)}.",
                    todo=WAY_OUT,
                )
            said.append(f"'{name}' holds none of train, val and test ({_some(others)}): it is not taken for splits")
    if words and words[0] != exact:
        said.append(f"the column '{words[0]}' names the splits")
        if any(map(str.isdigit, table.column(words[0]))):
            said.append(f"in '{words[0]}' 0 is train, 1 val and 2 test, as in CelebA")
    elif flags and not words:
        said.append(f"{' and '.join(repr(name) for name in flags)} name{'s' * (len(flags) == 1)} the splits")
    _check_words(table, words)
    return words[0] if words else None, flags, said


def split_in(cell: str, column: str, cells: set[str]) -> str | None:
    """The split that a cell means, of a column with these cells."""
    split = split_word(cell)
    known = KNOWN.get(key(column), {})
    if split is not None or not known:
        return split
    plain = {each.split(".")[0] if each[:1].isdigit() else each.replace(" ", "").lower(): each for each in cells}
    if not set(plain) <= set(known) or ("0" in known and len(plain) < len(known)):
        return None
    return next((known[word] for word, each in plain.items() if each == cell), None)


def row_splits(table: Table, column: str | None, flags: Sequence[str]) -> list[str]:
    """The split of each row, "all" where no column says any.

    Raises:
        DataError: a cell is no split, or columns contradict each other.
    """
    if column is None and not flags:
        return ["all"] * len(table.rows)
    cells_of = set(table.column(column)) - {""} if column else set()
    meanings = {cell: split_in(cell, column or "", cells_of) for cell in cells_of}
    found = []
    for number, cells in table.rows:
        where = f"{table.path}, {table.unit} {number}"
        flagged = _by_flags(cells, flags, where) if flags else None
        if column is None:
            if not flagged:
                shown = ", ".join(f"'{name}'" for name in flags)
                raise DataError(f"{where}: {shown} leave open in which split it is.", todo="Set one of them to 1.")
            found.append(flagged)
            continue
        name = cells.get(column, "")
        split = meanings.get(name)
        if split is None:
            raise DataError(f"{where}: there is no split '{name}'.", todo="Use train, val or test.")
        for flag in flags:
            if is_one(cells.get(flag, "")) != (FLAG_KEYS[key(flag)][0] == split):
                raise DataError(
                    f"{where}: '{column}' says {split}, and '{flag}' says '{cells.get(flag, '')}'.",
                    todo="Keep the column that is right.",
                )
        found.append(split)
    return found


def _by_flags(cells: Mapping[str, str], flags: Sequence[str], where: str) -> str:
    """The split that columns of true and false give a row; empty if they leave it open."""
    meant = [FLAG_KEYS[key(flag)] for flag in flags]
    on = [flag for flag in flags if is_one(cells.get(flag, ""))]
    splits = {FLAG_KEYS[key(flag)][0] for flag in on}
    if len(splits) > 1:
        raise DataError(
            f"{where}: {' and '.join(repr(flag) for flag in on)} are both true.",
            todo="Keep every image in one split; what is trained on must not be tested on.",
        )
    if splits:
        return splits.pop()
    asked = {split for split, _ in meant}
    if "train" not in asked:
        return "train"
    left = {"val", "test"} - asked
    return "test" if "test" in left else ""


def _check_words(table: Table, words: Sequence[str]) -> None:
    """Refuse columns of splits that say different things."""
    for other in words[1:]:
        one, two = (set(table.column(name)) for name in (words[0], other))
        for number, cells in table.rows:
            first, second = cells.get(words[0], ""), cells.get(other, "")
            splits = {split_in(first, words[0], one), split_in(second, other, two)} - {None}
            if len(splits) > 1:
                raise DataError(
                    f"{table.path}, {table.unit} {number}: the column '{words[0]}' says '{first}', and '{other}' says "
                    f"'{second}'.",
                    todo="Keep the one that is meant, or call the other one otherwise.",
                )


def _some(cells: Sequence[str]) -> str:
    more = f" and {len(cells) - SHOWN} more" if len(cells) > SHOWN else ""
    return ", ".join(f"'{cell[:40]}'" for cell in cells[:SHOWN]) + more
