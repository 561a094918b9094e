"""Which photograph a name in an annotation means.

Annotations name photographs by paths of other machines, without folders, with another extension, or with what an
upload put before the name. The last part of a path decides, then the folders above it. A photograph in a folder that
contradicts the annotation's (``dog/1.jpg`` for ``cat/1.jpg``) is not it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from dapt.data.items import Item
from dapt.data.read.mask_words import IMAGE_FOLDERS, says_masks
from dapt.strict import nfc

_GENERIC = {
    *IMAGE_FOLDERS,
    *("label", "labels", "annotation", "annotations", "ann", "anns", "json", "jsons", "xml", "xmls", "txt"),
    *("upload", "default", "obj_train_data", "dataset", "export", "instances", "."),
}
_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")  # Label Studio puts eight digits before the names of uploaded files
_WORDS = re.compile(r"[^\W_]+")
_MACHINE = re.compile(r"/|[A-Za-z]:[\\/]|[a-z][a-z0-9+.-]*://")


class PhotoNames:
    """Photographs, by all that they may be called.

    Args:
        items: the photographs. strict: a folder that contradicts rules a photograph out.
    """

    def __init__(self, items: Iterable[Item], *, strict: bool = True) -> None:
        self._strict = strict
        self._names: dict[str, _Photos] = {}
        self._stems: dict[str, _Photos] = {}
        for item in items:
            photo = _photo_of(item)
            for table, key in ((self._names, photo.last), (self._stems, _stem(photo.last))):
                table.setdefault(key, _Photos()).add(photo)

    def match(self, names: Sequence[str], near: str = "") -> list[Item]:
        """The photograph of the first name that fits any: none where none does, several where it may be any of them.

        Args:
            names: as `dapt.data.mask_imports.base.Annotated.names`. near: the file that names it.
        """
        for name in names:
            for form in _forms(name):
                found = self._match_one(form, near)
                if found:
                    return found
        return []

    def _match_one(self, name: str, near: str) -> list[Item]:
        parts = _parts(name)
        if not parts:
            return []
        folders, last = tuple(map(_key, parts[:-1])), _key(parts[-1])
        telling = () if not self._strict or _MACHINE.match(name) else tuple(_telling(parts[:-1]))
        for there in (self._names.get(last), self._stems.get(last), self._stems.get(_stem(last))):
            for photos in (there.near(folders), there.all) if there is not None else ():
                fitting = [photo for photo in photos if not _contradict(photo.telling, telling)]
                if fitting:
                    return _closest(fitting, folders, parts[-1], near)
        return []


class _Photo(NamedTuple):
    """A photograph: its folders and file name as they are compared, and those of the folders that tell."""

    item: Item
    folders: tuple[str, ...]
    last: str
    telling: tuple[str, ...]


class _Photos:
    """Photographs of one file name, also by the folder that they lie in: there may be thousands."""

    def __init__(self) -> None:
        self.all: list[_Photo] = []
        self._by_folder: dict[str, list[_Photo]] = {}

    def add(self, photo: _Photo) -> None:
        self.all.append(photo)
        if photo.folders:
            self._by_folder.setdefault(photo.folders[-1], []).append(photo)

    def near(self, folders: Sequence[str]) -> list[_Photo]:
        """Those in a folder called like the last one."""
        return self._by_folder.get(folders[-1], []) if folders else []


def _photo_of(item: Item) -> _Photo:
    parts = _parts(item.name)
    return _Photo(item, tuple(map(_key, parts[:-1])), _key(parts[-1]), tuple(_telling(parts[:-1])))


def _contradict(own: Sequence[str], said: Sequence[str]) -> bool:
    return bool(own) and bool(said) and own[-1] != said[-1]


def beside(file: str, said: str) -> str:
    """The path of a picture that a file names from where it lies; as it is said where that is on another machine."""
    path = said.replace("\\", "/")
    if _MACHINE.match(path):
        return path
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path))


def path_key(name: str) -> tuple[str, ...]:
    """What two ways of naming one picture have in common: the folders that tell, and the file's name."""
    parts = _parts(name)
    return (*_telling(parts[:-1]), _key(parts[-1])) if parts else ()


def may_be_one(first: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two `path_key` may be of one picture: one is the end of the other."""
    length = min(len(first), len(other))
    return length > 0 and tuple(first[-length:]) == tuple(other[-length:])


def _closest(photos: Sequence[_Photo], folders: Sequence[str], last: str, near: str) -> list[Item]:
    """The photographs that fit best: the same folders, those they share from the end on, words of the file's path."""
    if len(photos) == 1:
        return [photos[0].item]
    words = {_key(word) for word in _WORDS.findall(near)}
    scores = [_score(photo, folders, last, words) for photo in photos]
    best = max(scores)
    return [photo.item for photo, score in zip(photos, scores, strict=True) if score == best]


def _score(photo: _Photo, folders: Sequence[str], last: str, words: set[str]) -> tuple[bool, int, int, bool]:
    shared = 0
    for one, other in zip(reversed(photo.folders), reversed(folders), strict=False):
        if one != other:
            break
        shared += 1
    said = sum(word in words for folder in photo.folders for word in _WORDS.findall(folder))
    return photo.folders == tuple(folders), shared, said, posixpath.basename(photo.item.name) == last


def _forms(name: str) -> list[str]:
    """A name as it is written, and as it may be meant: the path in an address, without what an upload has added."""
    found = [name]
    if "?" in name or "://" in name:
        split = urlsplit(name)
        asked = parse_qs(split.query).get("d", [])  # /data/local-files/?d=folder/1.jpg
        found = [*asked, f"{split.scheme}://{split.netloc}{split.path}" if split.scheme else split.path, name]
    found += [unquote(form) for form in found if "%" in form]
    for form in list(found):
        head, _, last = form.replace("\\", "/").rpartition("/")
        uploaded = _UPLOADED.fullmatch(last)
        if uploaded:
            found.append(f"{head}/{uploaded[1]}" if head else uploaded[1])
    return list(dict.fromkeys(form for form in found if form))


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _telling(folders: Sequence[str]) -> list[str]:
    """The folders that may tell photographs of one name apart."""
    keys = [_key(folder) for folder in folders]
    return [key for key in keys if key not in _GENERIC and says_masks(key) is False]


def _key(text: str) -> str:
    return nfc(text).casefold()


def _stem(last: str) -> str:
    stem, dot, _ = last.rpartition(".")
    return stem if dot and stem else last
