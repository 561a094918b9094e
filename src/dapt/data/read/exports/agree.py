"""Whether the folders that photographs lie in are the classes that an export gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dapt.data.read.exports.base import Export
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.strict import nfc
from dapt.wording import some

MOST = 0.5  # of the photographs that are named more than this share
_WORDS = re.compile(r"[^\W_]+")


def most(named: Iterable[str], photos: Iterable[str]) -> bool:
    """Whether the photographs that are named are most of those there."""
    there = set(photos)
    return len(there & set(named)) > MOST * len(there)


def export_wins(export: Export, folders: Mapping[str, str], tree: Tree) -> bool:
    """Whether the classes of the export are taken, not the folders, which all photographs lie in.

    The folders are taken where every photograph shows what its folder is called. The export is taken where no
    folder is called like one of its classes: then the folders are parts of the data, ``batch1`` and ``batch2``.

    Args:
        folders: the class folder of each photograph.

    Raises:
        DataError: anything in between, or an export of one class alone.
    """
    shown = {name: {export.names[label] for label in labels} for name, labels in export.shown.items() if labels}
    shown = {name: classes for name, classes in shown.items() if name in folders}
    classes = {name for each in shown.values() for name in each}
    others = sorted(name for name, each in shown.items() if not any(_alike(folders[name], one) for one in each))
    if not shown or not others:
        return False
    named = {folder for folder in set(folders.values()) if any(_alike(folder, one) for one in classes)}
    if not named and len(classes) > 1:
        return True
    first = others[0]
    raise DataError(
        f"The folders of {tree.top} and its {export.title} export ({some(sorted(set(export.files)))}) disagree about "
        f"the classes of {len(others)} of {len(shown)} photos: {first} lies in '{folders[first]}', and is annotated as "
        f"{some(sorted(shown[first]))}.",
        todo="If the folders are the classes, move the annotations elsewhere; if the annotations are right, put the "
        "photos into one folder called images, or name the classes in a CSV with the columns image and classname.",
    )


def same_parts(export: Export, folders: Mapping[str, str]) -> bool:
    """Whether classes without names, if there are several, may be the folders: each folder has one of its own."""
    pairs = {(folders[name], labels) for name, labels in export.shown.items() if labels and name in folders}
    classes, names = {labels for _, labels in pairs}, {folder for folder, _ in pairs}
    return len(classes) < 2 or len(pairs) == len(classes) == len(names)


def _alike(folder: str, name: str) -> bool:
    """Whether a folder is called like a class, perhaps with a number before it or other words around it."""
    words = [_plain(word) for word in _WORDS.findall(folder)]
    wanted = [_plain(word) for word in _WORDS.findall(name)]
    if not wanted:
        return folder == name
    joined = "".join(words) == "".join(wanted)
    length = len(wanted)
    return joined or any(words[at : at + length] == wanted for at in range(len(words) - length + 1))


def _plain(word: str) -> str:
    """A word without case and the s of several."""
    word = nfc(word).casefold()
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
