"""Folders whose images are named by a table in them: ``metadata.csv``, or ``images/`` beside a ``labels.csv``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from dapt.data.items import ImageSet
from dapt.data.read.aliases import split_word
from dapt.data.read.columns import find_columns
from dapt.data.read.csv_index import read_tables
from dapt.data.read.row_paths import IMAGE_FOLDERS, Files, is_picture, share_found
from dapt.data.read.table_file import TABLE_TYPES, read_table
from dapt.errors import DataError
from dapt.regular import irregular

INDEX = "index"
METADATA = "metadata"  # of the imagefolder convention, in the folder or in each split folder
ONE_HOT = "_classes.csv"  # in each split folder of a multi-class export
FIRST = (".csv", ".tsv", ".jsonl", ".ndjson")  # kinds of a table that is known by its name alone
SAMPLE = 200  # rows by which a table is known to name the images there
MASK_FOLDERS = frozenset("mask masks annotations labels segmentation segmentations segmentationclass".split())
MOSTLY = 0.5  # share of them that has to be there
_NO_LABELS = ("sample_submission", "samplesubmission", "submission", "sample_sub")


def read_table_folder(folder: Path) -> ImageSet | None:
    """Read a folder by the table in it; None where there is none, and folders are the classes.

    A table called ``index`` or ``metadata`` counts always; another one where the images lie in no class folders, and
    it is the only one that names them. ``train.csv`` and ``test.csv`` are splits.

    Raises:
        DataError: several tables name the images, or the table has faults.
    """
    tables = find_tables(folder)
    if not tables:
        return None
    return read_tables(folder, tables, name=folder.resolve().name, everything=True)


def find_tables(folder: Path) -> dict[Path, str | None]:
    """The tables that name the images of a folder, each with the split of all its rows or None; empty if none does.

    Raises:
        DataError: several may be meant.
    """
    if not os.access(folder, os.R_OK | os.X_OK):  # reading its folders says so
        return {}
    for stem in (INDEX, METADATA):
        named = [path for end in FIRST if _is_there(path := folder / f"{stem}{end}")]
        if len(named) > 1 and stem == METADATA:
            raise _several(folder, named)
        if named and (stem == INDEX or _labels(named[0]) is not None):
            return {named[0]: None}
    in_splits = _in_split_folders(folder)
    if in_splits:
        return in_splits
    files = Files(folder)
    found = {path: labels for path in _candidates(folder) if (labels := _labels(path, files)) is not None}
    labelled = [path for path, labels in found.items() if labels]
    splits = _by_split(found)
    if splits:
        return splits
    if not labelled or _has_class_folders(files):
        return {}
    if len(labelled) > 1:
        raise _several(folder, labelled)
    return {labelled[0]: None}


def _is_there(path: Path) -> bool:
    """Whether there is a file, or something in its place that reading names."""
    return path.is_file() or (bool(irregular(path)) and not path.is_dir())


def _several(folder: Path, tables: list[Path]) -> DataError:
    shown = ", ".join(path.name for path in tables)
    return DataError(
        f"{folder} has several tables that name its images: {shown}.",
        todo=f"Give the one that is meant as the data, for example {tables[0]}.",
    )


def _candidates(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        plain = path.stem.lower().replace("-", "_")
        named = path.suffix.lower() in TABLE_TYPES and not path.name.startswith(".")
        if named and path.is_file() and not plain.startswith(_NO_LABELS):
            yield path


def _in_split_folders(folder: Path) -> dict[Path, str | None]:
    """Tables of the same name in each of the split folders."""
    splits = {path: split for path in sorted(folder.iterdir()) if path.is_dir() and (split := split_word(path.name))}
    names = [f"{METADATA}{end}" for end in FIRST] + [ONE_HOT]
    for name in names:
        tables: dict[Path, str | None] = {
            path / name: split for path, split in splits.items() if (path / name).is_file()
        }
        if tables and all(_labels(path) is not None for path in tables):
            missing = [path for path in splits if path / name not in tables]
            if missing:
                raise DataError(
                    f"{missing[0]} has no {name}, which {next(iter(tables)).parent} has.",
                    todo="Add the table, or move that folder away.",
                )
            return tables
    return {}


def _labels(path: Path, files: Files | None = None) -> bool | None:
    """Whether the rows of a table have classes; None where it does not name images, or not the files there."""
    try:
        table = read_table(path)
        columns = find_columns(table, files or Files(path.parent), unlabelled=True)
    except DataError:
        if path.stem in (INDEX, METADATA):
            raise
        return None
    step = max(1, len(table.rows) // SAMPLE)
    cells = [cells.get(columns.image, "") for _, cells in table.rows[::step]]
    if files is not None and share_found(cells, files.folder, files) < MOSTLY:
        return None
    return bool(columns.label or columns.classname or columns.one_hot)


def _by_split(found: Mapping[Path, bool]) -> dict[Path, str | None]:
    """``train.csv`` with ``val.csv`` or ``test.csv``, where both have classes; nothing if the names say otherwise."""
    splits: dict[str, list[Path]] = {}
    for path, labelled in found.items():
        split = _split_in(path.stem)
        if split is not None and labelled:
            splits.setdefault(split, []).append(path)
    if "train" not in splits or len(splits) < 2 or any(len(paths) > 1 for paths in splits.values()):
        return {}
    return {paths[0]: split for split, paths in splits.items()}


def _split_in(stem: str) -> str | None:
    """The split in a name such as ``train``, ``train_labels`` or ``labels-val``."""
    words = stem.lower().replace("-", "_").replace(".", "_").split("_")
    found = {split for word in words if (split := split_word(word))}
    return found.pop() if len(found) == 1 else None


def _has_class_folders(files: Files) -> bool:
    """Whether pictures lie in several folders that are called like classes: none of ``images/``, ``train/`` or so."""
    classes = set()
    for name in files.names:
        if is_picture(name) and "/" in name:
            first, *rest = name.split("/")[:-1]
            if split_word(first) or first.lower() in IMAGE_FOLDERS:
                first = rest[0] if rest else ""
            if first and not split_word(first) and first.lower() not in IMAGE_FOLDERS | MASK_FOLDERS:
                classes.add(first)
    return len(classes) > 1
