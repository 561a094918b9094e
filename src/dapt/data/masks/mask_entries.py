"""What is known of each mask of a store: the entries of ``masks.json``, and the parts that writers leave on the way.

A store is a folder with a PNG per image at the image's relative path (8 bits, soft masks grey) and ``masks.json``:
``settings``, statistics, and under ``masks`` an entry per image. While masks are made, the entries of each chunk go
into a file of their own in ``.parts/WRITER/``, before the masks themselves; they are joined into ``masks.json`` at the
end, and by the next command where a writer was killed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from dapt.console import warn
from dapt.errors import DaptError, DataError
from dapt.files import json_text, read_json, sync_folder, write_bytes, write_json
from dapt.owned import digest_of
from dapt.regular import reason
from dapt.strict import nfc

STATISTICS = "masks.json"
PARTS = ".parts"
MASKS, SEAL = "masks", "seal"  # keys of the file: the entries, and their checksum
DIGITS = 32  # of a checksum in an entry
READ_BYTES = 2**20
BLACK_BELOW, WHITE_FROM = 0.0, 1.0

State = tuple[int, int]  # size in bytes and time of change in nanoseconds of a file
Kind = Literal["usable", "empty", "full", "not found", "unreadable"]


@dataclass(frozen=True)
class MaskEntry:
    """What is known of the mask of one image.

    Attributes:
        kind: ``usable``, ``empty`` (no foreground), ``full`` (no background), ``not found`` (the source had no answer)
            or ``unreadable`` (its file could not be read).
        coverage: share of foreground, 0..1. score: how far the source trusts it, 0..1; None: it does not say.
        stuff: names of what the background is, the largest first.
        image: checksum of the image's content; None: not known, of masks of earlier versions.
        seen: size in bytes and time of change (ns) of the image, by which it is known without being read.
        mask: checksum of the mask file as it was made, by which a mended one is known.
        made_for: name of the class the mask was made for; empty where that is not noted.
    """

    kind: Kind
    coverage: float
    score: float | None = None
    stuff: tuple[str, ...] = field(default_factory=tuple)
    image: str | None = None
    seen: State | None = None
    mask: str | None = None
    made_for: str = ""

    def tree(self) -> dict[str, Any]:
        """As plain values; what is not known is left out."""
        found: dict[str, Any] = {"kind": self.kind, "coverage": self.coverage}
        more: dict[str, Any] = {"score": self.score, "stuff": list(self.stuff), "class": self.made_for}
        more |= {"image": self.image, "seen": None if self.seen is None else list(self.seen), "mask": self.mask}
        return found | {key: value for key, value in more.items() if value is not None and value not in ("", [])}


def entry_of(tree: Any) -> MaskEntry:
    """The entry that `MaskEntry.tree` made.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    kind, coverage, score, seen = tree["kind"], float(tree["coverage"]), tree.get("score"), tree.get("seen")
    stuff, texts = tree.get("stuff", []), [tree.get(key) for key in ("image", "mask", "class")]
    if kind not in get_args(Kind) or not 0 <= coverage <= 1 or not all(isinstance(name, str) for name in stuff):
        raise ValueError("no entry of a mask")
    if not all(text is None or isinstance(text, str) for text in texts):
        raise TypeError("no entry of a mask")
    image, mask, made_for = texts
    size = None if seen is None else (int(seen[0]), int(seen[1]))
    trust = None if score is None else float(score)
    return MaskEntry(kind, coverage, trust, tuple(stuff), image, size, mask, made_for or "")


def kind_of(coverage: float) -> Kind:
    """What a mask is, by its share of foreground."""
    return "empty" if coverage <= BLACK_BELOW else "full" if coverage >= WHITE_FROM else "usable"


def read_entries(tree: Mapping[str, Any], file: Path) -> dict[str, MaskEntry]:
    """The entries in what was read from a ``masks.json``, by image; none in those of earlier versions.

    Raises:
        DataError: they are damaged, or were changed by hand.
    """
    if MASKS not in tree:
        return {}
    damaged = DataError(
        f"The entries of single masks in {file} are damaged, or were changed by hand.",
        todo=f'Restore the file, or remove its "{MASKS}" and "{SEAL}": the masks are kept, their scores are lost.',
    )
    entries = tree[MASKS]
    if not isinstance(entries, dict) or tree.get(SEAL) != seal_of(entries):
        raise damaged
    try:
        return {name: entry_of(value) for name, value in entries.items()}
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        raise damaged from None


def seal_of(entries: Mapping[str, Any]) -> str:
    """The checksum of entries, as plain values: a wrong byte must not make them say something else."""
    return digest_of(json.dumps(entries, sort_keys=True).encode())[:DIGITS]


def store_tree(head: Mapping[str, Any], entries: Mapping[str, MaskEntry]) -> dict[str, Any]:
    """The content of ``masks.json``: settings and statistics `head`, and the entries in the order of their names."""
    masks = {name: entries[name].tree() for name in sorted(entries)}
    return {**head, SEAL: seal_of(masks), MASKS: masks}


def write_store(path: Path, tree: Mapping[str, Any]) -> None:
    """Write what `store_tree` made, one line per mask, whole or not at all.

    Raises:
        DaptError: see `dapt.files.write_bytes`.
    """
    text = json_text({**tree, MASKS: {}}, path)
    lines = [f"    {json.dumps(name)}: {json.dumps(entry)}" for name, entry in tree[MASKS].items()]
    empty = f'"{MASKS}": {{}}'
    if lines:  # the last key of the tree
        before, _, behind = text.rpartition(empty)
        text = f'{before}"{MASKS}": {{\n' + ",\n".join(lines) + "\n  }" + behind
    write_bytes(path, text.encode(), make_parents=False)


def write_part(folder: Path, number: int, entries: Mapping[str, MaskEntry]) -> None:
    """Note the entries of one chunk of a writer, durably.

    Args:
        folder: of the writer, see `part_folders`. number: of the chunk.
    """
    masks = {name: entry.tree() for name, entry in entries.items()}
    write_json(folder / f"{number:06d}.json", {SEAL: seal_of(masks), MASKS: masks})


def next_number(folder: Path) -> int:
    """The number of the next chunk in a writer's folder."""
    return max((int(path.stem) for path in _part_files(folder)), default=0) + 1


def read_part(folder: Path) -> dict[str, MaskEntry]:
    """The entries of all chunks of a writer, later ones before earlier ones.

    A damaged file is said and passed over: the masks are there, what the source said of them is lost.
    """
    found: dict[str, MaskEntry] = {}
    for path in _part_files(folder):
        try:
            found |= read_entries(read_json(path), path)
        except DaptError as error:
            warn(f"{error.what} What was noted of up to a chunk of masks is lost; the masks are kept.")
    return found


def remove_part(folder: Path) -> None:
    """Remove the files of a writer that were joined, and its folder where nothing else is left in it.

    Raises:
        DaptError: the file system refuses.
    """
    try:
        for path in (*_part_files(folder), *(path for path in folder.glob(".*") if path.is_file())):
            path.unlink(missing_ok=True)
        for each in (folder, folder.parent):
            _remove_empty(each)
    except OSError as error:
        raise DaptError(f"Could not remove {error.filename or folder}: {error.strerror or error}.") from error


def remove_place(store: Path) -> None:
    """Remove the folder of the parts of a store where it is empty, as a writer that was killed may leave it.

    Raises:
        DaptError: the file system refuses.
    """
    try:
        _remove_empty(store / PARTS)
    except OSError as error:
        raise DaptError(f"Could not remove {store / PARTS}: {error.strerror or error}.") from error


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        sync_folder(folder.parent)


def part_folders(store: Path) -> list[Path]:
    """The folders of writers in a store, one for each that has not joined what it noted."""
    place = store / PARTS
    return sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def _part_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if path.stem.isdigit()) if folder.is_dir() else []


def store_entries(store: Path) -> dict[str, MaskEntry]:
    """All entries of a store, by image, those of parts included; none where it has none.

    Raises:
        DataError: they are damaged. DaptError: the file cannot be read.
    """
    file = store / STATISTICS
    tree = read_json(file) if file.is_file() else {}
    found = read_entries(tree, file) if isinstance(tree, dict) else {}
    for folder in part_folders(store):
        found |= read_part(folder)
    return found


def content_of(path: Path) -> str:
    """A checksum of a file's content.

    Raises:
        DataError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while content := file.read(READ_BYTES):
                digest.update(content)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({reason(error)}).") from error
    return digest.hexdigest()[:DIGITS]


def state_of(path: Path) -> State:
    """Size in bytes and time of change in nanoseconds of a file.

    Raises:
        DataError: it is gone.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({reason(error)}).") from error
    return state.st_size, state.st_mtime_ns


def listed(folder: Path, names: Iterable[str]) -> dict[str, bool]:
    """Which of the files `names` are in a folder: by name, whether it is a link. Each sub-folder is listed once.

    A link that leads nowhere is among them; folders are not.

    Args:
        names: paths within the folder, with forward slashes.
    """
    by_folder: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        head, _, tail = name.rpartition("/")
        by_folder.setdefault(head, []).append((tail, name))
    found: dict[str, bool] = {}
    for head, wanted in by_folder.items():
        try:
            with os.scandir(folder / head) as entries:
                there = {each.name: each.is_symlink() for each in entries if each.is_symlink() or each.is_file()}
        except (FileNotFoundError, NotADirectoryError):
            continue
        forms = {nfc(tail): tail for tail in there if not tail.isascii()}  # some file systems keep another one
        for tail, name in wanted:
            tail = tail if tail in there else forms.get(nfc(tail), tail)
            if tail in there:
                found[name] = there[tail]
    return found
