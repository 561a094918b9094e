"""Data from a table: which image is of which class; optional masks, splits and others. See docs/data.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dapt.console import warn
from dapt.data.items import UNLABELLED, ImageSet, Item, check_classes
from dapt.data.read.class_names import class_order, said_of_order, spelt_alike
from dapt.data.read.columns import whole_number
from dapt.data.read.divide import divide
from dapt.data.read.row_paths import Files, is_picture
from dapt.data.read.table_rows import Row, Rows, add_rows, take_splits_of_folders
from dapt.data.read.tree import follow_splits_and_classes, look_through
from dapt.errors import DataError

SHOWN = 3
NOT_LISTED = "not in the table"


def read_csv(path: Path, *, classless: bool = False) -> ImageSet:
    """Read a table of images: a CSV of any dialect, a list, or JSON; see `read_tables`."""
    name = path.parent.resolve().name if path.stem == "index" else path.stem
    return read_tables(path.parent, {path: None}, name=name, classless=classless)


def read_tables(
    root: Path, tables: Mapping[Path, str | None], *, name: str, everything: bool = False, classless: bool = False
) -> ImageSet:
    """Read tables of images. Paths are relative to their table and must stay in its folder.

    Rows whose label is -1 or empty are unlabelled: they serve for masks and prediction, not for training.
    Without a ``split`` column the rows are divided per class into 50% train, 20% val and 30% test, unless all paths
    begin with folders called like splits. Every image has one row: what is trained on must not be tested on, and a
    repeated row would count twice.

    Args:
        root: the folder of the data. tables: below it, each with the split of all its rows, or None.
        name: of the data. everything: all pictures below `root` that no row names are counted; otherwise those of the
            folders that rows name. classless: a table without a column of classes is no mistake.

    Raises:
        DataError: missing, repeated or ambiguous columns, rows with more fields than the header, unknown split names,
            paths outside the folder, contradicting labels, a class without a label where others have one, an image in
            two rows, or more than `dapt.limits` allows.
    """
    rows = Rows()
    for path, split in tables.items():
        add_rows(rows, path, split, root, classless=classless)
    where = next(iter(tables)) if len(tables) == 1 else root
    take_splits_of_folders(rows)
    classes = list(map(_shown_name, rows.one_hot)) or _class_table(rows, where)
    by_name = {name: label for label, name in enumerate(classes)}
    items: dict[str, list[Item]] = {}
    placed: list[tuple[Row, Item]] = []
    for row in rows.rows:
        labels = _labels_of(row, by_name)
        item = Item(
            path=root / row.image,
            label=labels[0] if labels else UNLABELLED,
            name=row.image,
            mask=root / row.mask if row.mask else None,
            meta=row.meta,
            labels=labels if rows.multi_label else (),
        )
        items.setdefault(row.split, []).append(item)
        placed.append((row, item))
    _check_images(placed, classes, where)
    _warn_of_names(classes, where)
    splits = {split: tuple(values) for split, values in items.items()}
    if "all" in splits:
        splits = divide(splits["all"])
    named = ", ".join(path.relative_to(root).as_posix() for path in tables)
    return check_classes(
        ImageSet(
            name,
            root,
            tuple(classes),
            splits,
            multi_label=rows.multi_label,
            layout=f"a table ({named})",
            unused=_unused(root, tables, [item for _, item in placed], everything),
            divided="all" in items,
            guessed=tuple(dict.fromkeys(rows.guessed)),
        )
    )


def _check_images(placed: list[tuple[Row, Item]], classes: list[str], where: Path) -> None:
    """Refuse an image that several rows name, the worst kind first."""
    first: dict[str, tuple[Row, Item]] = {}
    across: list[str] = []
    labels: list[str] = []
    again: list[str] = []
    for row, item in placed:
        other, known = first.setdefault(item.name, (row, item))
        if other is row:
            continue
        one, two = (f"{each.unit} {each.number}" for each in (other, row))
        if other.path != row.path:
            one, two = f"{other.path.name} {one}", f"{row.path.name} {two}"
        if other.split != row.split:
            across.append(f"{item.name} ({one}: {other.split}, {two}: {row.split})")
        elif (known.label, known.labels) != (item.label, item.labels):
            labels.append(f"{item.name} ({one}: {_shown(known, classes)}, {two}: {_shown(item, classes)})")
        elif other.path == row.path and row.unit == "line":
            again.append(f"{item.name} (lines {other.number} and {row.number})")
        else:
            again.append(f"{item.name} ({one} and {two})")
    for found, what, todo in (
        (across, "in two splits of", "Keep every image in one split; what is trained on must not be tested on."),
        (
            labels,
            "with two labels in",
            "Keep the row that is right; if an image shows several classes, name them in one row, as 'cat|dog'.",
        ),
        (again, "that occur twice in", "Remove the repeated rows: they would count twice."),
    ):
        if found:
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise DataError(f"Images {what} {where}: {len(found)} ({', '.join(found[:SHOWN])}{more}).", todo=todo)


def _shown(item: Item, classes: list[str]) -> str:
    if item.label == UNLABELLED:
        return "none"
    return " and ".join(f"{label} '{classes[label]}'" for label in item.labels or (item.label,))


def _class_table(found: Rows, where: Path) -> list[str]:
    """Class names by label."""
    rows = found.rows
    if not any(row.label for row in rows):
        _without_points(rows)
        names = {name for row in rows for name in row.names}
        ordered = class_order(names)
        found.guessed += said_of_order(ordered)
        return list(map(_shown_name, ordered))
    counted_from = _first_label(rows)
    if counted_from:
        found.guessed.append(f"The labels count from {counted_from}; they are numbered from 0 here.")
    pairs: dict[int, str] = {}
    for row in rows:
        label = _integer(row)
        if label == UNLABELLED:
            continue
        if counted_from:
            label -= counted_from
            row.label = str(label)
        name = _shown_name(row.names[0]) if row.names else f"class {label + counted_from}"
        if pairs.setdefault(label, name) != name:
            raise DataError(
                f"{row.where}: label {label + counted_from} is '{name}' here and '{pairs[label]}' above.",
                todo="Give every label one class name.",
            )
    missing = next((label for label in range(max(pairs, default=0)) if label not in pairs), None)
    if missing is not None:
        raise DataError(f"{where}: no row has the label {missing}.", todo="Number the labels 0, 1, 2, ... .")
    return [pairs[label] for label in sorted(pairs)]


def _first_label(rows: list[Row]) -> int:
    """1 where the labels are 1, 2, ... without a gap, and every class has a name; else 0."""
    found = [(_integer(row), bool(row.names)) for row in rows]
    labels = {label for label, _ in found} - {UNLABELLED}
    named = all(has_name for label, has_name in found if label != UNLABELLED)
    return int(named and bool(labels) and min(labels) == 1 and max(labels) == len(labels))


def _without_points(rows: list[Row]) -> None:
    """Spreadsheets write classes that are numbers as ``3.0``."""
    if all(whole_number(name) for row in rows for name in row.names):
        for row in rows:
            row.names = tuple(name.split(".", 1)[0] for name in row.names)


def _shown_name(name: str) -> str:
    return name.replace("_", " ")


def _warn_of_names(classes: list[str], where: Path) -> None:
    groups = spelt_alike(classes)
    if groups:
        shown = "; ".join(", ".join(f"'{name}'" for name in group) for group in groups[:SHOWN])
        more = f"; and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
        warn(f"{where} has classes that differ in capitals or spaces only, which count as different: {shown}{more}.")


def _integer(row: Row) -> int:
    text = row.label
    if text == "":
        return UNLABELLED
    try:
        value = int(text.split(".")[0] if whole_number(text) else text)  # other programs write whole numbers as 3.0
    except ValueError:
        raise DataError(
            f"{row.where}: the label '{text[:60]}' is not a number.",
            todo="Put numbers into 'label' and names into 'classname'.",
        ) from None
    if value < UNLABELLED:
        raise DataError(f"{row.where}: the label {value} is negative.")
    return value


def _labels_of(row: Row, by_name: Mapping[str, int]) -> tuple[int, ...]:
    """The labels of a row, none if it is unlabelled."""
    if row.label:
        label = _integer(row)
        return () if label == UNLABELLED else (label,)
    names = list(map(_shown_name, row.names))
    unknown = next((name for name in names if name not in by_name), None)
    if unknown is not None:
        raise DataError(
            f"{row.where}: the class '{unknown}' has no label here, nor in any other row.",
            todo="Give it a label, or -1 for an image without one.",
        )
    return tuple(by_name[name] for name in names)


def _unused(root: Path, tables: Iterable[Path], items: list[Item], everything: bool) -> dict[str, tuple[str, ...]]:
    """What is there and not used: the pictures that no row names, and, of `everything`, the other files too."""
    used = {item.name for item in items}
    used |= {item.mask.relative_to(root).as_posix() for item in items if item.mask is not None}
    if not everything:
        tops = {name.split("/", 1)[0] for name in used if "/" in name}
        left = sorted(name for name in Files(root, tops).names if is_picture(name) and name not in used)
        return {NOT_LISTED: tuple(left)} if left else {}
    tree = look_through(root, follow_splits_and_classes)
    read = used | {table.relative_to(root).as_posix() for table in tables}
    found = {reason: [name for name in names if name not in read] for reason, names in tree.unused.items()}
    found[NOT_LISTED] = [name for name in tree.pictures if name not in used]
    return {reason: tuple(names) for reason, names in sorted(found.items()) if names}
