"""Which columns of a table name the images, their classes, masks and splits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dapt.data.read.aliases import CLASS_KEYS, IMAGE_KEYS, MASK_KEYS, NAME_KEYS, NUMBER_KEYS, is_number, key, rank
from dapt.data.read.class_columns import check_others, names_of_numbers, one_hot_columns, one_to_one, repeat
from dapt.data.read.row_paths import Files, share_found
from dapt.data.read.table import Table
from dapt.data.read.table_splits import find_split_columns
from dapt.data.read.table_text import looks_like_image
from dapt.errors import DataError, did_you_mean

KNOWN = {"image", "label", "classname", "mask", "split"}
USED = (*sorted(KNOWN), "group")
SAMPLE = 200  # rows by which a column of files is known
MOSTLY = 0.5  # share of labels that are texts where labels are names

_WHOLE = re.compile(r"[+-]?[0-9]+(\.0*)?")


@dataclass
class Columns:
    """The columns of a table that mean something, by their names there.

    Attributes:
        image: paths. label: numbers of classes. classname: names of classes. mask, split, group: as in an index; None
            where there is none. one_hot: columns that are a class each, 1 where an image shows it.
        flags: columns of 0 and 1 that are splits. said: what was taken for what.
    """

    image: str
    label: str | None = None
    classname: str | None = None
    mask: str | None = None
    split: str | None = None
    group: str | None = None
    one_hot: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    said: list[str] = field(default_factory=list)

    @property
    def used(self) -> set[str]:
        """The columns that are no metadata."""
        named = (self.image, self.label, self.classname, self.mask, self.split)
        return {name for name in named if name is not None} | {*self.one_hot, *self.flags}


def find_columns(table: Table, files: Files, *, unlabelled: bool = False) -> Columns:
    """Find the columns of a table: by the names of an index, else by other usual names, else by what is in them.

    Args:
        files: below the folder of the table. unlabelled: a table without classes is no mistake.

    Raises:
        DataError: there is none, or there are several of which none is clearly meant.
    """
    exact = _exact(table)
    image = exact.get("image") or _image_column(table, files, set(exact.values()))
    columns = Columns(image, mask=exact.get("mask"), split=exact.get("split"), group=exact.get("group"))
    if image != exact.get("image"):
        columns.said.append(f"the column '{image}' names the images")
    taken = {image, *exact.values()}
    columns.split, columns.flags, said = find_split_columns(table, exact.get("split"), taken - {exact.get("split")})
    columns.said += said
    if columns.mask is None:
        columns.mask = _alias(
            table, columns, "masks", MASK_KEYS, taken, lambda cells: any(map(looks_like_image, cells))
        )
    taken = {name for name in (image, columns.mask, columns.split, columns.group, *columns.flags) if name is not None}
    _class_columns(table, columns, exact, taken, unlabelled)
    for name in columns.used:
        _once(table, name)
    return columns


def whole_number(text: str) -> bool:
    """Whether a cell is a whole number, also as ``3.0``."""
    return bool(_WHOLE.fullmatch(text))


def _exact(table: Table) -> dict[str, str]:
    """The columns called as in an index; capitals do not matter."""
    found: dict[str, str] = {}
    for column in table.columns:
        name = column.lower()
        if name in USED:
            if name in found:
                _repeated(table, name, sum(other.lower() == name for other in table.columns))
            found[name] = column
    return found


def _once(table: Table, name: str) -> None:
    count = table.columns.count(name)
    if count > 1:
        _repeated(table, name, count)


def _repeated(table: Table, name: str, count: int) -> None:
    raise DataError(f"{table.path} has the column '{name}' {count} times.", todo="Keep the one that is meant.")


def _image_column(table: Table, files: Files, exact: set[str]) -> str:
    columns = [name for name in dict.fromkeys(table.columns) if name and name not in exact]
    places = {name: rank(name, IMAGE_KEYS) for name in columns}
    named = [name for name in columns if places[name] < len(IMAGE_KEYS)]
    if len(named) > 1:
        paths = [name for name in named if any(map(looks_like_image, _sample(table, name)))]
        there = {name: share_found(_sample(table, name), files.folder, files) for name in paths or named}
        best = [name for name in there if there[name] == max(there.values())]
        named = [name for name in best if places[name] == min(places[each] for each in best)]
    if not named:
        named = [name for name in columns if not _of_masks(name) and _all(looks_like_image, _sample(table, name))]
    if not named:  # names without extension, if files are called so
        named = [
            name
            for name in columns
            if key(name) not in CLASS_KEYS
            and not _of_masks(name)
            and (cells := _sample(table, name))
            and len(set(cells)) > 1
            and share_found(cells, files.folder, files) == 1
        ]
    if not named:
        raise DataError(
            f"{table.path} has no 'image' column (it has: {', '.join(table.columns) or 'none'}).",
            todo=f"{did_you_mean('image', columns)} Call the column with the paths of the files 'image'.".strip(),
        )
    first = table.column(named[0])
    if any(table.column(name) != first for name in named[1:]):
        _ambiguous(table, named, "name the images", "image")
    return named[0]


def _of_masks(name: str) -> bool:
    """Whether a column is called like one of masks: its pictures are no photographs."""
    return key(name) in MASK_KEYS or key(name).startswith(("mask", "segmentation", "segmask"))


def _class_columns(table: Table, columns: Columns, exact: dict[str, str], taken: set[str], unlabelled: bool) -> None:
    """Fill in `label`, `classname` or `one_hot`."""
    label, name = exact.get("label"), exact.get("classname")
    others = [each for each in dict.fromkeys(table.columns) if each and each not in taken]
    aliases = [each for each in others if key(each) in CLASS_KEYS and each not in (label, name)]
    texts = [each for each in aliases if not _numbers(table, each)]
    if label and name:
        columns.label, columns.classname = label, name
    elif name:
        columns.classname = name
    elif label:
        if not _numbers(table, label) and _mostly_texts(table, label):
            columns.classname = label
            columns.said.append(f"'{label}' holds the names of the classes")
            columns.said += check_others(table, label, texts)
            return
        columns.label = label
        pairs = [each for each in texts if one_to_one(table, label, each)]
        named = pairs[0] if len(pairs) == 1 else names_of_numbers(table, label, others) if not pairs else None
        if named:
            columns.classname = named
            columns.said.append(f"'{named}' holds the names of the classes")
        columns.said += check_others(table, label, texts)
    elif aliases:
        _by_aliases(table, columns, aliases, texts, others)
    else:
        columns.one_hot = one_hot_columns(table, others)
        if columns.one_hot:
            columns.said.append(f"its {len(columns.one_hot)} columns of 0 and 1 are a class each, in their order")
        elif len(others) == 1 and repeat(table, others[0]):
            columns.classname = others[0]
            columns.said.append(f"'{others[0]}' holds the names of the classes")
        elif not unlabelled:
            raise DataError(
                f"{table.path} has neither a 'label' nor a 'classname' column (it has: {', '.join(table.columns)}).",
                todo="Call the column with the names of the classes 'classname', or that with their numbers 'label'.",
            )


def _by_aliases(table: Table, columns: Columns, aliases: list[str], texts: list[str], others: list[str]) -> None:
    numbers = [each for each in aliases if each not in texts]
    text = _best(table, texts)
    number = _best(table, numbers) if numbers else None
    if text and number and not one_to_one(table, number, text):
        if key(number) in NUMBER_KEYS or rank(number, NAME_KEYS) <= rank(text, NAME_KEYS):
            _ambiguous(table, [text, number], "hold the classes", "classname")
        number = None
    if number and not text:
        text = names_of_numbers(table, number, others)
    if number and not text and key(number) not in NUMBER_KEYS and not _counted(table, number):
        text, number = number, None  # names that are numbers
    columns.classname, columns.label = text, number
    for each, what in ((text, "names"), (number, "numbers")):
        if each:
            columns.said.append(f"'{each}' holds the {what} of the classes")


def _counted(table: Table, name: str) -> bool:
    """Whether the cells of a column are 0, 1, ... without a gap, or 1, 2, ...; -1 is no class."""
    found = {int(cell.split(".")[0]) for cell in table.column(name) if cell and len(cell) < 20} - {-1}
    return bool(found) and min(found) in (0, 1) and max(found) - min(found) == len(found) - 1


def _best(table: Table, names: list[str]) -> str | None:
    """The one that is most usual; of several with the same cells, the first.

    Raises:
        DataError: several may be meant.
    """
    if not names:
        return None
    best = min(rank(name, NAME_KEYS) for name in names)
    named = [name for name in names if rank(name, NAME_KEYS) == best]
    first = table.column(named[0])
    if any(table.column(name) != first for name in named[1:]):
        _ambiguous(table, named, "hold the classes", "classname")
    return named[0]


def _ambiguous(table: Table, names: Sequence[str], what: str, right: str) -> None:
    shown = ", ".join(f"'{name}'" for name in names)
    raise DataError(
        f"{table.path} has several columns that may {what}: {shown}.",
        todo=f"Call the one that is meant '{right}'.",
    )


def _alias(table: Table, columns: Columns, what: str, keys: frozenset[str], taken: set[str], fits) -> str | None:  # type: ignore[no-untyped-def]
    for name in table.columns:
        if key(name) in keys and name not in taken and fits(_sample(table, name, len(table.rows))):
            columns.said.append(f"the column '{name}' names the {what}")
            return name
    return None


def _sample(table: Table, name: str, count: int = SAMPLE) -> list[str]:
    """Cells of a column that are not empty, from all over the table."""
    step = max(1, len(table.rows) // count) if count else 1
    return [cell for _, cells in table.rows[::step] if (cell := cells.get(name, ""))]


def _all(holds, cells: list[str]) -> bool:  # type: ignore[no-untyped-def]
    return bool(cells) and all(map(holds, cells))


def _numbers(table: Table, name: str) -> bool:
    return name not in table.lists and all(whole_number(cell) for cell in table.column(name) if cell)


def _mostly_texts(table: Table, name: str) -> bool:
    cells = [cell for cell in table.column(name) if cell]
    return name in table.lists or sum(not is_number(cell) for cell in cells) >= MOSTLY * len(cells)
