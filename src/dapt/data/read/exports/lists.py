"""Splits that lists of photographs tell, or the names of folders: Darknet's ``train.txt``, a ``data.yaml``."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from dapt.data.read.exports.base import Export, by_name, split_in_path
from dapt.data.read.kinds import is_picture
from dapt.data.read.split_names import split_of
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import read_text, reason
from dapt.wording import some


def take_splits(export: Export, tree: Tree, photos: Sequence[str], places: Mapping[str, Sequence[str]]) -> None:
    """Put photographs into splits: by lists where there are any, else by the folders they lie in.

    Args:
        export: to be completed. places: what the export says of each split, see `yolo_about.About`.

    Raises:
        DataError: a photograph is in two splits.
    """
    texts = [name for name, _ in tree.others() if name.lower().endswith(".txt") and name not in export.files]
    named = {split: [place for place in each if place.lower().endswith(".txt")] for split, each in places.items()}
    lists = {split: [file for place in each if (file := _meant(place, texts))] for split, each in named.items()}
    if not any(lists.values()):
        lists = _called_like_splits(texts)
    found: dict[str, str] = {}
    absent: list[str] = []
    names = by_name(photos)
    for split, files in lists.items():
        for file in files:
            lines = _lines(tree, file)
            if not lines:
                continue
            export.files.append(file)
            for line in lines:
                photo = _meant(line, names.get(line.rpartition("/")[2], []))
                if photo is None:
                    absent.append(line)
                else:
                    _put(found, photo, split, tree)
    if absent:
        export.remarks.append(f"Lists of splits name photos that are not there: {len(absent)} ({some(absent)}).")
    told = found or _by_folders(export, tree, photos, places)
    of_all = set(told.values())
    if len(of_all) == 1 and len(told) == len(photos) and not all(map(split_in_path, photos)):
        export.remarks.append(f"All photos are listed for the split {of_all.pop()}, so that there are no splits.")
        return  # as exports of tools that know no splits do
    export.splits.update(told)


def _called_like_splits(texts: Sequence[str]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name in texts:
        split = split_of(name.rpartition("/")[2].rpartition(".")[0])
        if split:
            lists.setdefault(split, []).append(name)
    return lists


def _lines(tree: Tree, name: str) -> list[str]:
    """The photographs that a list names; none if it is no such list."""
    try:
        lines = read_text(tree.top / name, LIST_BYTES).split("\n")
    except (OSError, ValueError) as error:
        raise DataError(f"{name} cannot be read: {reason(error)}.", todo="Save it as UTF-8.") from error
    lines = [line.strip().replace("\\", "/") for line in lines if line.strip()]
    return lines if all(is_picture(line) for line in lines) else []


def _meant(place: str, there: Sequence[str]) -> str | None:
    """The path that another machine's path means: the same from the end on, and the only one."""
    wanted = _parts(place)
    found = [path for path in there if wanted and _fits(wanted, path.split("/"))]
    longest = max((min(len(wanted), path.count("/") + 1) for path in found), default=0)
    found = [path for path in found if min(len(wanted), path.count("/") + 1) == longest]
    return found[0] if len(found) == 1 else None


def _parts(place: str) -> list[str]:
    path = posixpath.normpath(place.strip().replace("\\", "/"))
    return [part for part in path.split("/") if part not in ("", ".", "..")]


def _fits(one: Sequence[str], other: Sequence[str]) -> bool:
    length = min(len(one), len(other))
    return one[-length:] == other[-length:]


def _put(found: dict[str, str], photo: str, split: str, tree: Tree) -> None:
    if found.setdefault(photo, split) != split:
        raise DataError(
            f"The photo {photo} of {tree.top} is in two splits of its export, {found[photo]} and {split}.",
            todo="Remove it from one of them: what is tested on is not trained on.",
        )


def _by_folders(
    export: Export, tree: Tree, photos: Sequence[str], places: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """The split of each photograph: that which a folder of it is called like, else that of its folder in `places`."""
    found = {photo: split for photo in photos if (split := split_in_path(photo))}
    free = [photo for photo in photos if photo not in found]
    folders = sorted({folder for photo in photos for folder in _above(photo)})
    for split, each in places.items():
        for place in each:
            if place.lower().endswith(".txt"):
                export.remarks.append(f"The list {place} of the split {split} is not there.")
                continue
            folder = _meant(place, folders)
            inside = [photo for photo in free if folder is not None and photo.startswith(f"{folder}/")]
            for photo in inside:
                _put(found, photo, split, tree)
            if folder is None:
                export.remarks.append(f"There are no photos in {place}, which is named for the split {split}.")
            elif not inside and (called := split_in_path(f"{folder}/x")) != split:
                export.remarks.append(
                    f"{place} is named for the split {split}; its photos are those of the split {called}, as "
                    "its folder is called."
                )
    return found


def _above(photo: str) -> list[str]:
    parts = photo.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
