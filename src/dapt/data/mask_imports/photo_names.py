"""Which photograph a name in an annotation means.

Annotations name photographs by paths of other machines, without folders, with another extension, or with what an
upload put before the name. The last part of a path decides, then the folders above it. A photograph in a folder that
contradicts the annotation's (``dog/1.jpg`` for ``cat/1.jpg``) is not it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
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
        self._names: dict[str, list[Item]] = {}
        self._stems: dict[str, list[Item]] = {}
        for item in items:
            last = _key(posixpath.basename(item.name))
            self._names.setdefault(last, []).append(item)
            self._stems.setdefault(_stem(last), []).append(item)

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
        last = _key(parts[-1])
        elsewhere = _MACHINE.match(name) is not None
        for there in (self._names.get(last), self._stems.get(last), self._stems.get(_stem(last))):
            fitting = [item for item in there or () if elsewhere or not self._contradicts(item, parts)]
            if fitting:
                return _closest(fitting, parts, near)
        return []

    def _contradicts(self, item: Item, parts: Sequence[str]) -> bool:
        own, said = _telling(_parts(item.name)[:-1]), _telling(parts[:-1])
        return self._strict and bool(own) and bool(said) and own[-1] != said[-1]


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


def _closest(items: Sequence[Item], parts: Sequence[str], near: str) -> list[Item]:
    if len(items) == 1:
        return list(items)
    words = {_key(word) for word in _WORDS.findall(near)}
    scores = [_score(_parts(item.name), parts, words) for item in items]
    best = max(scores)
    return [item for item, score in zip(items, scores, strict=True) if score == best]


def _score(own: Sequence[str], parts: Sequence[str], words: set[str]) -> tuple[bool, int, int, bool]:
    """How well a photograph fits a path: the same, the folders they share from the end on, words of folders."""
    shared = 0
    for one, other in zip(reversed(own[:-1]), reversed(parts[:-1]), strict=False):
        if _key(one) != _key(other):
            break
        shared += 1
    said = sum(_key(word) in words for part in own[:-1] for word in _WORDS.findall(part))
    return list(own) == list(parts), shared, said, own[-1] == parts[-1]


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
