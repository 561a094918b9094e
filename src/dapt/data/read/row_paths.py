"""Which files the rows of a table mean: in place, in another folder, without extension, from another machine."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from dapt.data.read.aliases import split_word
from dapt.data.read.kinds import IMAGE_TYPES, is_leftover
from dapt.data.read.tree import check_depth
from dapt.errors import DataError
from dapt.lock import MANIFEST
from dapt.paths import both_ways
from dapt.strict import nfc

IMAGE_FOLDERS = frozenset(
    "images image img imgs photos photo pictures pics jpegimages data train train_images training_images".split()
)

_DIGITS = re.compile("[0-9]+")
LONGEST, LONGEST_PART = 4095, 255  # bytes of a path, and of a name in it
NUMBERED = 4  # how a file is called that has zeros in front of the number in the table


def is_picture(name: str) -> bool:
    """Whether a file is a picture, by its ending."""
    return posixpath.splitext(name)[1].lower() in IMAGE_TYPES and not is_leftover(posixpath.basename(name))


def too_long(text: str) -> bool:
    """Whether no file can be called so."""
    if len(text) <= LONGEST_PART // 4:
        return False
    parts = text.encode("utf-8", "surrogatepass").split(b"/")
    return sum(map(len, parts)) + len(parts) > LONGEST or max(map(len, parts)) > LONGEST_PART


def shared_folders(names: Iterable[str]) -> list[str]:
    """The folders with which all paths begin."""
    shared: list[str] | None = None
    for name in names:
        folders = name.split("/")[:-1]
        if shared is None:
            shared = folders
        elif folders[: len(shared)] != shared:
            pairs = zip(shared, folders, strict=False)
            shared = shared[: next((place for place, (one, two) in enumerate(pairs) if one != two), len(folders))]
    return shared or []


class Files:
    """The files below a folder, listed when that is asked for.

    Folders that are links, hidden, leftovers of archives, or filled by dapt are not looked into.

    Args:
        tops: the names in the folder that are looked at; None: all.
    """

    def __init__(self, folder: Path, tops: Iterable[str] | None = None) -> None:
        self.folder = folder
        self._by_end: dict[int, dict[str, list[str]]] = {}
        self._tops = None if tops is None else frozenset(tops)

    @cached_property
    def names(self) -> frozenset[str]:
        """Paths within the folder, with forward slashes."""
        return frozenset(self._walk())

    def ending(self, parts: Sequence[str]) -> list[str]:
        """The paths that end with these parts, whatever their case and the extension of the last, sorted."""
        count = len(parts)
        if count not in self._by_end:
            found: dict[str, list[str]] = {}
            for name in sorted(self.names) if count <= self._deepest else ():
                last = name.split("/")[-count:]
                if len(last) == count:
                    found.setdefault(_end_key(last, _stem_key(last[-1])), []).append(name)
            self._by_end[count] = found
        return self._by_end[count].get(_end_key(parts, _stem_key(parts[-1])), [])

    @cached_property
    def _deepest(self) -> int:
        return max((name.count("/") + 1 for name in self.names), default=0)

    @cached_property
    def by_number(self) -> dict[str, list[str]]:
        """The pictures whose names are digits, by that number without leading zeros."""
        found: dict[str, list[str]] = {}
        for name in sorted(self.names):
            stem = posixpath.splitext(posixpath.basename(name))[0]
            if _DIGITS.fullmatch(stem) and is_picture(name):
                found.setdefault(stem.lstrip("0"), []).append(name)
        return found

    def has(self, name: str) -> bool:
        """Whether a path within the folder is a file, links followed."""
        return name in self.names or (not too_long(name) and (self.folder / name).is_file())

    def _walk(self) -> Iterator[str]:
        for place, folders, names in os.walk(self.folder):
            inside = Path(place).relative_to(self.folder).as_posix()
            if inside == ".":
                inside = ""
                if self._tops is not None:
                    folders[:] = [name for name in folders if name in self._tops]
            check_depth(self.folder, inside)
            if inside and MANIFEST in names:
                folders.clear()
                continue
            folders[:] = sorted(name for name in folders if not is_leftover(name))
            for name in names:
                yield f"{inside}/{name}" if inside else name


@dataclass
class Places:
    """Where the files of rows are.

    Attributes:
        names: path within the folder by row, as the file is called there; rows that no file was found for keep what
            the table says. said: what had to be found out.
    """

    names: list[str]
    said: list[str] = field(default_factory=list)


def place_rows(texts: Sequence[str], folder: Path, splits: Sequence[str], stem: str) -> Places:
    """Find the files that rows name.

    Args:
        texts: cells with paths; an empty one stays empty. folder: of the table. splits: split of each row, "all" where
            it has none. stem: name of the table without extension: ``train.csv`` means the files of ``train/``.

    Raises:
        DataError: the same rows name files in several places.
    """
    plain = [_lexical(text, folder) for text in texts]
    found = Places(list(plain))
    turned = sum(text != name and "\\" in text for text, name in zip(texts, plain, strict=True))
    if turned:
        found.said.append("backslashes in its paths divide folders")
    tops = {name.split("/", 1)[0] for name in plain if "/" in name} - {"", ".."}
    files = Files(folder, tops)
    lost = [row for row, name in enumerate(plain) if name and not _in_place(name, files)]
    if not lost:
        return found
    files = Files(folder)
    for split in dict.fromkeys(splits[row] for row in lost):
        rows = [row for row in lost if splits[row] == split]
        alone = len(lost) == sum(map(bool, plain))
        _search(rows, found, files, split, stem, alone=alone)
    found.said = list(dict.fromkeys(found.said))
    return found


def share_found(texts: Sequence[str], folder: Path, files: Files) -> float:
    """The share of cells that name files below a folder, wherever they are in it."""
    plain = [_lexical(text, folder) for text in texts if text]
    hits = sum(bool(_in_place(name, files) or _matches(name.split("/"), files)[1]) for name in plain)
    if (
        plain and not hits and "://" not in texts[0].removeprefix("file://")
    ):  # the first folders may be those of another machine
        parts = [name.split("/") for name in plain]
        for cut in range(1, len(shared_folders(plain)) + 1):
            hits = sum(bool(_matches(part[cut:], files)[1]) for part in parts)
            if 2 * hits >= len(plain):
                break
    return hits / len(plain) if plain else 0.0


def _in_place(name: str, files: Files) -> bool:
    return not name.startswith(("/", "../")) and files.has(name)


def _lexical(text: str, folder: Path) -> str:
    """A cell as a relative path with forward slashes, if it can be one."""
    if not text or too_long(text):
        return text
    if text.startswith("file:/"):
        text = text.removeprefix("file:").removeprefix("//").removeprefix("localhost")
        text = text if "%" not in text or Path(text).exists() else unquote(text)
    if "\\" in text and not (folder / text).exists():
        text = text.replace("\\", "/")
    plain = posixpath.normpath(text)
    if plain.startswith("/"):
        for place in both_ways(folder):
            inside = place.as_posix().rstrip("/") + "/"
            if plain.startswith(inside):
                return plain.removeprefix(inside)
    return plain


def _search(rows: list[int], found: Places, files: Files, split: str, stem: str, *, alone: bool) -> None:
    """Find the files of rows that are not where the table says; those that are nowhere stay as they are.

    Args:
        alone: no row of the table is in place, so the paths may be those of another machine, whose first folders do
            not exist here.
    """
    parts = [found.names[row].split("/") for row in rows]
    common = shared_folders(found.names[row] for row in rows) if alone else []
    for cut in range(len(common) + 1):
        hits = [_matches(part[cut:], files) for part in parts]
        if 2 * sum(bool(names) for _, names in hits) >= len(rows):
            break
    else:
        return
    bases = [{_base(name, len(part) - cut) for name in names} for part, (_, names) in zip(parts, hits, strict=True)]
    base = _common_base(bases, split, stem, [found.names[row] for row in rows], files.folder)
    kinds = set()
    for row, part, (kind, names) in zip(rows, parts, hits, strict=True):
        chosen = [name for name in names if base is None or _base(name, len(part) - cut) == base]
        if len(chosen) > 1:
            raise DataError(
                f"'{found.names[row]}' may be {chosen[0]} or {chosen[1]} in {files.folder}.",
                todo="Write the whole path, with its extension, into the table.",
            )
        if chosen:
            found.names[row] = chosen[0]
            kinds.add(kind)
        elif base and not cut:
            found.names[row] = f"{base}/{found.names[row]}"
    if cut:
        found.said.append(f"'{'/'.join(common[:cut])}/' in front of its paths is left out")
    if base is None:
        folders = sorted(
            {
                _base(name, len(part) - cut) or "."
                for part, (_, names) in zip(parts, hits, strict=True)
                for name in names
            }
        )
        found.said.append(f"its files are in {', '.join(folders[:3])}{' and others' if len(folders) > 3 else ''}")
    elif base:
        found.said.append(f"its files are in {base}/")
    if NUMBERED in kinds:
        found.said.append("its numbers lack the zeros in front of the names of the files, and the extension")
    if kinds & {1, 3}:
        found.said.append("its paths lack the extension of the files")
    if kinds & {2, 3}:
        found.said.append("its paths differ from the files in capitals or in the form of letters with accents")


def _matches(parts: list[str], files: Files) -> tuple[int, list[str]]:
    """The files that end with these parts: exactly, without extension, spelt otherwise, both; and which of these."""
    if not parts or not parts[-1] or ".." in parts:
        return 0, []
    candidates = files.ending(parts)
    bare = not is_picture(parts[-1])
    if not candidates and _DIGITS.fullmatch(parts[-1]):
        above = parts[:-1]
        numbered = files.by_number.get(parts[-1].lstrip("0"), [])
        folders = {name: name.split("/")[:-1] for name in numbered}
        return NUMBERED, [name for name in numbered if not above or folders[name][-len(above) :] == above]
    for kind, (same, without) in enumerate(
        ((_as_it_is, False), (_as_it_is, True), (_spelling, False), (_spelling, True))
    ):
        if without and not bare:
            continue
        wanted = [same(part) for part in parts]
        hits = [name for name in candidates if _ends(name, wanted, same, without)]
        if hits:
            return kind, hits
    return 0, []


def _ends(name: str, wanted: list[str], same: Callable[[str], str], without: bool) -> bool:
    if without:
        if not is_picture(name):
            return False
        name = posixpath.splitext(name)[0]
    return [same(part) for part in name.split("/")[-len(wanted) :]] == wanted


def _as_it_is(text: str) -> str:
    return text


def _spelling(text: str) -> str:
    return nfc(text).casefold()


def _end_key(parts: Sequence[str], last: str) -> str:
    return "/".join([*map(_spelling, parts[:-1]), last])


def _stem_key(text: str) -> str:
    return _spelling(posixpath.splitext(text)[0] if is_picture(text) else text)


def _base(name: str, count: int) -> str:
    return "/".join(name.split("/")[:-count])


def _common_base(bases: list[set[str]], split: str, stem: str, names: list[str], folder: Path) -> str | None:
    """The folder in which all rows have their files; None: each row has one file, in several folders.

    Raises:
        DataError: there are several such folders, and none has a better name.
    """
    hits = [each for each in bases if each]
    shared = set.intersection(*hits)
    if "" in shared:
        return ""
    if len(shared) == 1:
        return next(iter(shared))
    if not shared:
        if all(len(each) == 1 for each in hits):
            return None
        row = next(row for row, each in enumerate(bases) if len(each) > 1)
        shared = bases[row]
    else:
        ranks = {base: _rank(base, split, stem) for base in shared}
        best = [base for base in shared if ranks[base] == min(ranks.values())]
        if len(best) == 1:
            return best[0]
        row = next(row for row, each in enumerate(bases) if each)
    shown = " and ".join(sorted(base + "/" if base else "." for base in shared)[:3])
    raise DataError(
        f"'{names[row]}' is in several folders of {folder}: {shown}.",
        todo="Write the folder into the paths of the table.",
    )


def _rank(base: str, split: str, stem: str) -> int:
    last = base.rsplit("/", 1)[-1].lower()
    if split_word(last) == split or (split == "all" and last == stem.lower()):
        return 0
    return 1 if last in IMAGE_FOLDERS else 2
