"""Tables beside photographs that lie in no class folders, and that cannot be used: refused by their own error."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from dapt.data.read.aliases import split_word
from dapt.data.read.beside import part_masks
from dapt.data.read.exports.find import read_export
from dapt.data.read.row_paths import IMAGE_FOLDERS, Files, is_picture
from dapt.data.read.table_file import OTHER_TYPES, TEXT_TYPES, read_table
from dapt.data.read.tree import follow_splits_and_classes, look_through
from dapt.errors import DataError
from dapt.regular import open_regular

MASK_FOLDERS = frozenset("mask masks annotations labels segmentation segmentations segmentationclass".split())
START = 1 << 16  # bytes of a text in which names of pictures are looked for
LISTS = (".txt", ".lst", ".list", ".json")  # may be about anything
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")
_WORD = re.compile(r"[^\s,;|\"'/\\\[\]{}:]+")


def lie_in_no_classes(files: Files) -> bool:
    """Whether all pictures lie in one folder, or in folders that can be no classes: images/, train/, masks/."""
    pictures = [name for name in files.names if is_picture(name)]
    if len({name.rpartition("/")[0] for name in pictures}) == 1:
        return True
    folders = {part for name in pictures for part in name.split("/")[:-1]}
    return bool(pictures) and all(
        split_word(folder) or folder.lower() in IMAGE_FOLDERS | MASK_FOLDERS for folder in folders
    )


def refuse_unread(folder: Path, files: Files, errors: Mapping[Path, DataError], unsure: Collection[Path] = ()) -> None:
    """Refuse a folder whose photographs lie in no class folders, and whose table cannot be used.

    Nothing is done where the files may be about something else, and where an annotation tool made the folder.

    Args:
        files: below `folder`. errors: why tables cannot be used, the likeliest first. unsure: those that count only if
            pictures are named in them.

    Raises:
        DataError: naming the table and what is wrong with it.
    """
    if not lie_in_no_classes(files):
        return
    found = dict(errors)
    for path in sorted(folder.iterdir()):
        kind = path.suffix.lower()
        if kind in OTHER_TYPES and kind not in ARCHIVES and not path.name.startswith((".", "~$")) and path.is_file():
            what, todo = OTHER_TYPES[kind]
            found.setdefault(path, DataError(f"{path.name} is {what}, which is not read.", todo=todo))
    for path in _lists(folder):
        found.setdefault(path, _error_of(path))
    stems = {PurePosixPath(name).stem for name in files.names if is_picture(name)}
    for path, error in found.items():
        if (path in unsure or path.suffix.lower() in LISTS) and not _names_some(path, stems):
            continue
        if _is_export(folder):
            return
        raise DataError(
            f"The photos of {folder} lie in no class folders, and {path.relative_to(folder).as_posix()} beside them "
            f"cannot be used: {error.what}",
            where=error.where,
            todo=error.todo or "Mend the table, or move it away.",
            more=error.more,
        ) from error


def _error_of(path: Path) -> DataError:
    try:
        read_table(path)
    except DataError as error:
        return error
    return DataError(f"A list in {path.parent.name}/ is not read from there.", todo=f"Give it as the data: {path}.")


def _lists(folder: Path) -> list[Path]:
    """Lists in folders of annotations: of thousands of files there, each is of one picture."""
    inside = [path for path in sorted(folder.iterdir()) if path.name.lower() in MASK_FOLDERS and path.is_dir()]
    return [
        path
        for place in inside
        for path in sorted(place.iterdir())
        if path.suffix.lower() in TEXT_TYPES and split_of_list(path.stem) and path.is_file()
    ]


def split_of_list(stem: str) -> bool:
    """Whether a file is called as lists of images are: ``trainval``, ``train``, ``list``, ``labels``."""
    return stem.lower() in {"trainval", "list", "lists", "labels", "images", "all"} or split_word(stem) is not None


def _names_some(path: Path, stems: set[str]) -> bool:
    """Whether a text names one of the pictures, by what it begins with."""
    try:
        with open_regular(path) as file:
            text = file.read(START).decode("utf-8", "replace")
    except OSError:
        return False
    words = set(_WORD.findall(text))
    return any(word in stems and (len(word) > 3 or not word.isdigit()) for word in words) or any(
        PurePosixPath(word).stem in stems for word in words if is_picture(word)
    )


def _is_export(folder: Path) -> bool:
    """Whether annotations of another kind say what is in the photographs, or are refused by their name."""
    tree = look_through(folder, follow_splits_and_classes)
    parted = part_masks(tree.pictures, folder)
    try:
        return read_export(tree, parted) is not None
    except DataError:
        return True
