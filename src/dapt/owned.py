"""Folders that dapt fills: what in them is its own, and removing nothing else.

A manifest in the folder lists the files that dapt writes there, before they are written, and their checksums once
they are final. Only what it lists is ever removed, file by file; folders are removed when that leaves them empty.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.errors import ConfigError, DaptError
from dapt.files import PART, leftovers, read_json, remove_file, write_json
from dapt.lock import LOCK, MANIFEST, OWNER, foreign_notes
from dapt.regular import reason

SCHEMA = 1
JUNK = {".DS_Store", "Thumbs.db", "desktop.ini"}  # what file managers leave in every folder that they show
SHOWN = 3  # so many strangers are named


def digest_of(content: bytes | memoryview) -> str:
    """SHA-256 of `content` in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


@dataclass
class Manifest:
    """What dapt wrote into a folder.

    Attributes:
        kind: of the folder, such as ``run``. files: by path within the folder, the checksum of a final file, or None
            while it may still change. folders: paths of run folders within it, which have manifests of their own.
    """

    kind: str
    files: dict[str, str | None] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, None where there is none.

    Raises:
        ConfigError: it is damaged, or cannot be read.
    """
    path = folder / MANIFEST
    if not os.path.lexists(path):
        return None
    damaged = ConfigError(
        f"{path}, the list of what dapt wrote into the folder, is damaged, so the folder is left alone.",
        todo="Choose another folder, or remove this one yourself.",
    )
    try:
        tree = read_json(path)
    except DaptError as error:
        if isinstance(error.__cause__, OSError):
            raise ConfigError(
                f"{path}, the list of what dapt wrote into the folder, cannot be read ({reason(error.__cause__)}), so "
                "the folder is left alone.",
                todo="Make it readable, or choose another folder.",
            ) from error
        raise damaged from None
    try:
        kind, files, folders = tree["kind"], tree["files"], tree["folders"]
        good = tree["schema"] == SCHEMA and isinstance(kind, str) and tree["digest"] == seal_of(tree)
        good = good and isinstance(files, dict) and isinstance(folders, list)
        good = good and all(value is None or isinstance(value, str) for value in files.values())
        good = good and all(is_inside(name) for name in [*files, *folders])
    except (KeyError, TypeError, RecursionError):
        raise damaged from None
    if not good:
        raise damaged
    return Manifest(kind, files, folders)


def is_inside(name: object) -> bool:
    """Whether a manifest's entry stays in its folder."""
    if not isinstance(name, str):
        return False
    path = Path(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into a folder that is there."""
    tree = {"schema": SCHEMA, "kind": manifest.kind, "files": manifest.files, "folders": manifest.folders}
    write_json(folder / MANIFEST, {**tree, "digest": seal_of(tree)}, make_parents=False)


def seal_of(tree: Mapping[str, Any]) -> str:
    """The checksum that a manifest carries of all its other entries: a wrong byte must not make it vouch for less."""
    plain = {key: value for key, value in tree.items() if key != "digest"}
    return digest_of(json.dumps(plain, sort_keys=True).encode())


def check_sealed(folder: Path, manifest: Manifest | None, name: str) -> None:
    """Whether a file is as it was when it became final; of files that are not final, or not listed, nothing is known.

    Raises:
        DaptError: it was changed or damaged.
    """
    expected = manifest.files.get(name) if manifest is not None else None
    if expected is None:
        return
    path = folder / name
    try:
        found = digest_of(path.read_bytes())
    except OSError as error:
        raise DaptError(f"Could not read {path}: {error.strerror or error}.") from error
    if found != expected:
        raise DaptError(
            f"{path} is not as dapt wrote it: it was changed, or is damaged.",
            todo="Restore it, or train again with --overwrite.",
        )


def strangers(folder: Path, known: Iterable[str], apart: Iterable[str] = ()) -> list[Path]:
    """What is in `folder` beside the files `known`, sorted: other files, links, folders that hold no known file.

    The manifest, the lock, its note, parts of known files and what file managers leave are passed over; links are not
    followed. Where there is no manifest, a lock and note that dapt did not write are strangers.

    Args:
        known: paths within the folder, with forward slashes. apart: sub-folders that are looked at elsewhere.
    """
    names = {*known, MANIFEST, LOCK, OWNER} - {*foreign_notes(folder)}
    separate = set(apart)
    above = {parent.as_posix() for name in names | separate for parent in Path(name).parents} - {"."}
    found: list[Path] = []

    def look(inside: Path) -> None:
        for entry in sorted(os.scandir(inside), key=lambda entry: entry.name):
            path = Path(entry.path)
            name = path.relative_to(folder).as_posix()
            if entry.is_dir(follow_symlinks=False):
                if name in above:
                    look(path)
                elif name not in separate:
                    found.append(path)
            elif name not in names and entry.name not in JUNK and not _is_part(path, folder, names):
                found.append(path)

    if folder.is_dir():
        look(folder)
    return found


def _is_part(path: Path, folder: Path, names: set[str]) -> bool:
    if not PART.fullmatch(path.name):
        return False
    return path in leftovers(path.parent, [Path(name).name for name in names if (folder / name).parent == path.parent])


def refuse_strangers(folder: Path, found: list[Path]) -> None:
    """Refuse to clear a folder that holds what dapt did not write.

    Raises:
        ConfigError: `found` is not empty; names what it holds.
    """
    if not found:
        return
    names = [path.relative_to(folder).as_posix() + ("/" if path.is_dir() else "") for path in found]
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    raise ConfigError(
        f"{folder} holds what dapt did not write: {shown}. Nothing was removed.",
        todo="Move that elsewhere, or choose another folder.",
    )


def remove_known(folder: Path, known: Iterable[str]) -> None:
    """Remove the files `known` and their parts, then the folders within `folder` that this leaves empty.

    The manifest and the lock stay. Files are removed in the order given, so the first one decides what a killed
    removal looks like.

    Raises:
        DaptError: the file system refuses.
    """
    names = [name for name in known if name not in (MANIFEST, LOCK, OWNER)]
    for name in names:
        if not reached_by_link(folder, folder / name):
            remove_file(folder / name)
    sweep(folder, names)
    for each in sorted(_folders_of(folder, names), key=lambda path: len(path.parts), reverse=True):
        if each != folder and not any(each.iterdir()):
            remove_empty(each)


def sweep(folder: Path, known: Iterable[str]) -> None:
    """Remove the parts that interrupted writes of the files `known`, or of the manifest, have left.

    Raises:
        DaptError: the file system refuses.
    """
    names = {*known, MANIFEST, OWNER}
    stems: dict[Path, list[str]] = {}
    for name in names:
        stems.setdefault((folder / name).parent, []).append(Path(name).name)
    for each in _folders_of(folder, names):
        for part in leftovers(each, stems.get(each, ())):
            remove_file(part)


def _folders_of(folder: Path, names: Iterable[str]) -> set[Path]:
    """`folder` and the folders in it that hold files `names`, as far as they are there and no links."""
    found = {folder}
    for name in names:
        found |= {parent for parent in (folder / name).parents if folder in parent.parents}
    return {each for each in found if each.is_dir() and not reached_by_link(folder, each / "x")}


def reached_by_link(folder: Path, path: Path) -> bool:
    """Whether a folder between `folder` and `path` is a link, so that the file lies elsewhere."""
    return any(parent.is_symlink() for parent in path.parents if folder in parent.parents)


def remove_empty(folder: Path) -> None:
    """Remove a folder that holds nothing any more.

    Raises:
        DaptError: it holds something, or the file system refuses.
    """
    try:
        folder.rmdir()
    except OSError as error:
        raise DaptError(f"Could not remove {folder}: {error.strerror or error}.") from error
