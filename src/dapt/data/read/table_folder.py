"""Folders whose images are named by a table in them: ``metadata.csv``, or ``images/`` beside a ``labels.csv``."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dapt.data.items import ImageSet
from dapt.data.read.aliases import CLASS_KEYS, key, split_word
from dapt.data.read.columns import find_columns
from dapt.data.read.csv_index import read_tables
from dapt.data.read.kinds import is_leftover
from dapt.data.read.row_paths import IMAGE_FOLDERS, Files, is_picture, share_found
from dapt.data.read.table import Table
from dapt.data.read.table_file import TABLE_TYPES
from dapt.data.read.table_rows import open_table
from dapt.data.read.table_text import looks_like_image
from dapt.data.read.unread_tables import MASK_FOLDERS, refuse_unread
from dapt.errors import DataError
from dapt.regular import irregular, open_regular

INDEX = "index"
METADATA = "metadata"  # of the imagefolder convention, in the folder or in each split folder
EXPORTED = ("_classes.csv", "_annotations.csv")  # in each split folder of exports of several classes, and of boxes
FIRST = (".csv", ".tsv", ".jsonl", ".ndjson")  # kinds of a table that is known by its name alone
WRAPPERS = 4  # folders around it that are looked through
SAMPLE = 200  # rows by which a table is known to name the images there
TABLE_FOLDERS = frozenset("annotations annotation labels label csv csvs meta metadata tables splits".split())
MOSTLY = 0.5  # share of them that has to be there
NAMES_IMAGES, HAS_CLASSES, UNREADABLE, UNKNOWN = range(4)  # how likely a table that cannot be used is meant
_FIRST_TEXTS = re.compile(r'\{\s*"([^"]+)"(?:\s*:\s*[\[{]\s*"([^"]+)")?(?:\s*:\s*\[\s*"([^"]+)")?')
_NO_LABELS = ("sample_submission", "samplesubmission", "submission", "sample_sub")


def read_table_folder(folder: Path, above: int = 0, *, classless: bool = False) -> ImageSet | None:
    """Read a folder by the table in it; None where there is none, and folders are the classes.

    A table called ``index`` counts always, one called ``metadata`` if it has classes; another one where the images lie
    in no class folders, and it is the only one that names them. ``train.csv`` and ``test.csv`` are splits. A folder in
    which there is nothing but another one, as archives are unpacked, is looked through.

    Args:
        above: how many folders around it were looked through. classless: a table without classes is no mistake.

    Raises:
        DataError: several tables name the images, or the table has faults.
    """
    tables = find_tables(folder)
    inner = None if tables or above == WRAPPERS else _only_folder(folder)
    if inner is not None:
        found = read_table_folder(inner, above + 1, classless=classless)
        return found and replace(found, name=folder.resolve().name, layout=f"in {inner.name}/: {found.layout}")
    if not tables:
        return None
    return read_tables(folder, tables, name=folder.resolve().name, everything=True, classless=classless)


def _only_folder(folder: Path) -> Path | None:
    """The folder that is all there is in another one, but for leftovers."""
    try:
        inside = [path for path in folder.iterdir() if not is_leftover(path.name)]
    except OSError:
        return None
    alone = inside[0] if len(inside) == 1 else None
    return alone if alone is not None and alone.is_dir() and not alone.is_symlink() else None


def find_tables(folder: Path) -> dict[Path, str | None]:
    """The tables that name the images of a folder, each with the split of all its rows or None; empty if none does.

    Raises:
        DataError: several may be meant; or there are class folders too, and the table gives other classes.
    """
    if not os.access(folder, os.R_OK | os.X_OK):  # reading its folders says so
        return {}
    files = Files(folder)
    for stem in (INDEX, METADATA):
        named = [path for end in FIRST if _is_there(path := folder / f"{stem}{end}")]
        if named and stem == INDEX:
            return {named[0]: None}
        if len(named) > 1:
            raise _several(folder, named)
        if named and (_look(named[0]).labelled or not _class_folders(files)):
            return {named[0]: None}
    in_splits = _in_split_folders(folder)
    if in_splits:
        return in_splits
    looks = {path: _look(path, files) for path in _candidates(folder)}
    found = {path: look for path, look in looks.items() if look.images}
    splits = _by_split(found)
    if splits:
        return splits
    labelled = [path for path, look in found.items() if look.labelled]
    classes = _class_folders(files)
    if classes:
        for path in labelled:
            _check_agreement(folder, path, found[path], classes)
        return {}
    if not labelled:
        wrong = {path: look.error for path, look in looks.items() if look.error is not None}
        wrong = dict(sorted(wrong.items(), key=lambda each: looks[each[0]].place))
        if found and not any(looks[path].place < UNREADABLE for path in wrong):
            wrong = {}  # reading that one says what it lacks
        refuse_unread(folder, files, wrong, {path for path in wrong if looks[path].place == UNKNOWN})
        for path, error in wrong.items():
            if looks[path].place == NAMES_IMAGES:
                raise error
        return dict.fromkeys(found) if len(found) == 1 else {}
    if len(labelled) > 1:
        raise _several(folder, labelled)
    return {labelled[0]: None}


@dataclass(frozen=True)
class Look:
    """What a table is about.

    Attributes:
        error: why it cannot be used, if it may be meant. place: how likely it is, the likeliest first.
        images: cells that name files there, of a sample of rows; empty where it is no such table. classes: of the same
            rows; empty where it has none. sure: the column of classes is called so.
    """

    images: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    sure: bool = False
    error: DataError | None = None
    place: int = UNKNOWN

    @property
    def labelled(self) -> bool:
        """Whether its rows have classes."""
        return bool(self.classes)


def _look(path: Path, files: Files | None = None) -> Look:
    """Look into a table; `files`: it has to name most of its images among these.

    Raises:
        DataError: it has to be a table by its name, and cannot be read.
    """
    table = None
    try:
        table = open_table(path, files)
        columns = find_columns(table, files or Files(path.parent), unlabelled=True)
    except DataError as error:
        if files is None:
            raise
        if table is None:
            return Look(error=error, place=UNREADABLE)
        if _names_images(table, files):
            return Look(error=error, place=NAMES_IMAGES)
        return Look(
            error=error, place=HAS_CLASSES if any(key(name) in CLASS_KEYS for name in table.columns) else UNKNOWN
        )
    rows = [cells for _, cells in table.rows[:: max(1, len(table.rows) // SAMPLE)]]
    images = tuple(cells.get(columns.image, "") for cells in rows)
    if files is not None and path.parent != files.folder:
        inside = path.parent.relative_to(files.folder).as_posix()
        images = tuple(posixpath.normpath(f"{inside}/{name}") if name.startswith("../") else name for name in images)
    if files is not None and (share := share_found(images, files.folder, files)) < MOSTLY:
        has_classes = columns.classname or columns.label or columns.one_hot
        return Look(error=_not_there(path, columns.image, images, share), place=HAS_CLASSES) if has_classes else Look()
    named = columns.classname or columns.label
    if named:
        classes = tuple(cells.get(named, "") for cells in rows)
    else:
        classes = tuple(",".join(cells.get(name, "") for name in columns.one_hot) for cells in rows)
    sure = named is not None and key(named) in CLASS_KEYS
    return Look(images, classes if any(classes) else (), sure)


def _names_images(table: Table, files: Files) -> bool:
    """Whether a column of a table names pictures there."""
    rows = [cells for _, cells in table.rows[:SAMPLE]]
    columns = ([cells.get(name, "") for cells in rows] for name in table.columns if name)
    return any(
        any(map(looks_like_image, cells)) and share_found(cells, files.folder, files) >= MOSTLY for cells in columns
    )


def _check_agreement(folder: Path, path: Path, look: Look, classes: dict[str, str]) -> None:
    """Refuse a table whose classes are not those of the folders: one of the two is not what is meant."""
    if not look.sure:
        return
    by_end: dict[str, str | None] = {}
    for name, of in classes.items():
        parts = posixpath.splitext(name)[0].split("/")
        for end in ("/".join(parts[place:]) for place in range(len(parts))):
            by_end[end] = of if by_end.get(end, of) == of else None  # equal names in several folders say nothing
    pairs = {
        (found, cell)
        for image, cell in zip(look.images, look.classes, strict=True)
        if cell and (found := _longest(image, by_end)) is not None
    }
    if len({one for one, _ in pairs}) < len(pairs):
        raise DataError(
            f"{folder} has folders that look like classes, and {path.name}, which gives images of one folder different"
            " classes.",
            todo=f"Give the table as the data ({path}), or move it away if the folders are the classes.",
        )


def _longest(image: str, by_end: Mapping[str, str | None]) -> str | None:
    """The class of the file whose path ends like this one."""
    path = posixpath.normpath(image.replace("\\", "/"))
    parts = (posixpath.splitext(path)[0] if is_picture(path) else path).split("/")
    ends = ("/".join(parts[place:]) for place in range(len(parts)))
    return next((by_end[end] for end in ends if end in by_end), None)


def _not_there(path: Path, column: str, images: tuple[str, ...], share: float) -> DataError:
    """What is wrong with a table whose images are elsewhere, or are called otherwise."""
    example = next(filter(None, images), "")
    if "://" in example and not example.startswith("file:"):
        what, todo = f"'{example[:80]}' is an address, not a file.", "Download the images, and write their paths there."
    else:
        what = f"its column '{column}' names {share:.0%} of its images as files that are there (not '{example[:80]}')."
        todo = "Write the paths of the files into it, relative to the table; or move it away."
    return DataError(f"{path}: {what}", todo=todo)


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
    """The files that may be tables: in the folder, and in folders in it that are called so."""
    inside = sorted(folder.iterdir())
    pictures = {path.stem for path in inside if is_picture(path.name)}
    for path in inside:
        if path.name.lower() in TABLE_FOLDERS and path.is_dir():
            inside_too = (file for file in sorted(path.iterdir()) if file.suffix.lower() in FIRST)
            yield from filter(_may_be_table, inside_too)
        elif path.stem not in pictures and _may_be_table(path):  # a.txt beside a.jpg has the boxes of that
            yield path


def _may_be_table(path: Path) -> bool:
    """Whether it is worth reading a file, by its name and, for JSON, its beginning: annotations may be huge."""
    plain = path.stem.lower().replace("-", "_")
    if path.name.startswith(".") or plain.startswith(_NO_LABELS) or not path.is_file():
        return False
    if path.suffix.lower() != ".json":
        return path.suffix.lower() in TABLE_TYPES
    try:
        with open_regular(path) as file:
            start = file.read(4096).decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    except OSError:
        return False
    first = _FIRST_TEXTS.match(start)
    return start.startswith("[") or (first is not None and any(map(looks_like_image, filter(None, first.groups()))))


def _in_split_folders(folder: Path) -> dict[Path, str | None]:
    """Tables of the same name in each of the split folders."""
    splits = {path: split for path in sorted(folder.iterdir()) if path.is_dir() and (split := split_word(path.name))}
    names = [f"{METADATA}{end}" for end in FIRST] + [*EXPORTED]
    for name in names:
        tables: dict[Path, str | None] = {
            path / name: split for path, split in splits.items() if (path / name).is_file()
        }
        if tables and all(_look(path).images for path in tables):
            missing = [path for path in splits if path / name not in tables]
            if missing:
                raise DataError(
                    f"{missing[0]} has no {name}, which {next(iter(tables)).parent} has.",
                    todo="Add the table, or move that folder away.",
                )
            return tables
    return {}


def _by_split(found: Mapping[Path, Look]) -> dict[Path, str | None]:
    """``train.csv`` with ``val.csv`` or ``test.csv``, where both have classes; nothing if the names say otherwise."""
    splits: dict[str, list[Path]] = {}
    for path, look in found.items():
        split = _split_in(path.stem)
        if split is not None and look.labelled:
            splits.setdefault(split, []).append(path)
    if "train" not in splits or len(splits) < 2 or any(len(paths) > 1 for paths in splits.values()):
        return {}
    return {paths[0]: split for split, paths in splits.items()}


def _split_in(stem: str) -> str | None:
    """The split in a name such as ``train``, ``train_labels`` or ``labels-val``."""
    words = stem.lower().replace("-", "_").replace(".", "_").split("_")
    found = {split for word in words if (split := split_word(word))}
    return found.pop() if len(found) == 1 else None


def _class_folders(files: Files) -> dict[str, str]:
    """The class of each picture by its folder, where there are several folders called like classes; else nothing.

    ``images/``, ``masks/``, ``train/`` and so on are none.
    """
    classes: dict[str, str] = {}
    for name in files.names:
        if is_picture(name) and "/" in name:
            first, *rest = name.split("/")[:-1]
            if split_word(first) or first.lower() in IMAGE_FOLDERS:
                first = rest[0] if rest else ""
            if first and not split_word(first) and first.lower() not in IMAGE_FOLDERS | MASK_FOLDERS:
                classes[name] = first
    return classes if len(set(classes.values())) > 1 else {}
