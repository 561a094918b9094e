"""Where outputs may go: neither over nor into what is read, nor into a folder that dapt has filled.

Paths are looked at as they are written and where they lead. An output folder may be a link to a folder that is there.
An output file may be no link at all, whatever it leads to: writing would put a file in its place. A link that leads
nowhere is refused as either, and so is a folder within an output folder that is a link: what is written there would
land elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dapt.errors import ConfigError
from dapt.old_folders import holds_keys, is_old_masks, is_old_run
from dapt.owned import reached_by_link, read_manifest
from dapt.paths import as_written, both_ways, resolved, same, within
from dapt.regular import open_regular

CLOSED = ("run", "masks", "model")  # kinds of folders that hold no other output of any kind
FILLED = (*CLOSED, "protocol", "experiment")  # kinds that hold nothing of others; the last two hold their own runs
MARKED = 4096  # bytes of a page in which its mark stands
BEGINNING = 2**16  # bytes of a table in which its title and the names of its columns stand
ELSEWHERE = "Choose another folder for the output."


def check_apart(out: Path, inputs: Mapping[str, Path | None], *, todo: str = ELSEWHERE) -> None:
    """Refuse an output folder that holds an input, or lies within one.

    Args:
        inputs: what is read, by what it is called in the message; None and absent paths are passed over.
        todo: what the reader can do.

    Raises:
        ConfigError: naming both.
    """
    for label, path in inputs.items():
        if path is None or not path.exists():
            continue
        if within(path, out):
            raise ConfigError(f"The output folder {out} holds {label} ({path}).", todo=todo)
        if path.is_dir() and within(out, path):
            raise ConfigError(f"The output folder {out} lies within {label} ({path}).", todo=todo)


def check_folder(out: Path, kinds: Iterable[str] = CLOSED, *, todo: str = "Choose another --out.") -> None:
    """Refuse an output folder that lies within a folder that dapt fills, or that cannot come to be.

    Args:
        kinds: of folders that may not hold it. todo: what the reader can do.

    Raises:
        ConfigError: also, it is a file, or it or a folder above it is a file or a link that leads nowhere.
    """
    above = run_above(out, kinds)
    if above is not None:
        raise ConfigError(f"The output folder {out} lies within {above}, which dapt fills.", todo=todo)
    for each in (out, *out.parents):
        if each.is_dir():
            return
        if each.is_symlink() and not each.exists():
            raise ConfigError(f"{each} is a link that leads nowhere.", todo=todo)
        if os.path.lexists(each):
            raise ConfigError(f"{each} is a file, not a folder.", todo=todo)


def check_file(
    path: Path | None, option: str, inputs: Mapping[str, Path | None], *, todo: str = "Choose another file."
) -> None:
    """Refuse an output file in a place where it would harm something, or that cannot come to be.

    Args:
        path: named by the user; None: no file is written. inputs: what is read, by what it is called in the message.
        todo: what the reader can do where a folder that dapt fills is in the way.

    Raises:
        ConfigError: it is a link or a folder, it is an input or lies within one or in a folder that dapt fills, or its
            folder cannot come to be.
    """
    if path is None:
        return
    if path.is_symlink():
        raise ConfigError(f"{path} is a link, which is not written over.", where=option, todo="Name the file itself.")
    if path.is_dir():
        raise ConfigError(f"{path} is a folder, not a file.", where=option, todo="Name a file, which may be in it.")
    for label, given in inputs.items():
        if given is None or not given.exists():
            continue
        if same(path, given):
            raise ConfigError(f"{path} is {label}, which is read.", where=option, todo="Choose another file.")
        if given.is_dir() and within(path, given):
            raise ConfigError(f"{path} lies within {label} ({given}).", where=option, todo="Choose another file.")
    above = run_above(path, FILLED)
    if above is not None:
        raise ConfigError(f"{path} lies within {above}, which dapt fills.", where=option, todo=todo)
    check_folder(path.parent, todo="Choose another file.")


def check_replaceable(path: Path | None, keys: set[str], option: str) -> None:
    """Refuse to write a JSON file over something that dapt did not write.

    Args:
        path: named by the user; None: no file is written. keys: by which a file of the kind is known.

    Raises:
        ConfigError: there is something else.
    """
    if path is not None and os.path.lexists(path) and not (path.is_file() and holds_keys(path, keys)):
        raise ConfigError(
            f"{path} exists, and dapt did not write it.", where=option, todo="Choose another file; it was left alone."
        )


def check_marked(
    path: Path | None,
    mark: str,
    option: str,
    *,
    by: str = "dapt",
    todo: str = "Choose another file; it was left alone.",
) -> None:
    """Refuse to write a page over a file that does not hold its mark near its beginning.

    Args:
        path: of the page; None: none is written. by: which program the message names. todo: what the reader can do.

    Raises:
        ConfigError: it is another file.
    """
    if path is None or not path.exists():
        return
    if mark.encode() not in _head(path, MARKED):
        raise ConfigError(f"{path} exists, and {by} did not write it.", where=option, todo=todo)


def check_begun(path: Path | None, beginnings: Iterable[str], option: str, *, by: str) -> None:
    """Refuse to write a table as text over a file that does not begin as such tables do.

    Args:
        path: named by the user; None: no file is written. beginnings: patterns of regular expressions, of which one
            fits the beginning of every such table. by: which program the message names.

    Raises:
        ConfigError: it is another file, or an empty one.
    """
    if path is None or not os.path.lexists(path):
        return
    text = _head(path, BEGINNING).decode(errors="replace")
    if not any(re.match(pattern, text) for pattern in beginnings):
        raise ConfigError(
            f"{path} exists, and {by} did not write it.", where=option, todo="Choose another file; it was left alone."
        )


def _head(path: Path, most: int) -> bytes:
    """The first bytes of a file; none of what cannot be read, or is no file."""
    try:
        with open_regular(path) as file:
            return file.read(most)
    except OSError:
        return b""


def check_writable(path: Path | None, option: str) -> None:
    """Refuse an output where the file system lets nothing be made, before anything is computed for it.

    Args:
        path: of a file or folder that need not be there; None: nothing is written.

    Raises:
        ConfigError: naming the folder in the way.
    """
    if path is None:
        return
    place = path if path.is_dir() else path.parent
    there = next((each for each in (place, *place.absolute().parents) if each.is_dir()), place)
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"Nothing can be written into {there}.", where=option, todo="Choose another place.")


def check_different(places: Mapping[str, Path | None]) -> None:
    """Refuse outputs of one command that are one place, of which the last would replace the others.

    Args:
        places: by the options that name them; None: not given.

    Raises:
        ConfigError: naming both options.
    """
    seen: dict[str, Path] = {}
    for option, path in places.items():
        if path is None:
            continue
        for other, before in seen.items():
            if same(path, before):
                raise ConfigError(f"{other} and {option} are one place, {path}.", todo="Give each its own.")
        seen[option] = path


def holding(out: Path, files: Iterable[Path]) -> Path | None:
    """The first of `files` that lies in `out`, as it is written or through links."""
    places = set(both_ways(out))
    seen: dict[Path, bool] = {}  # many files share a folder
    for path in files:
        parent = path.parent
        if parent not in seen:
            written, there = both_ways(parent)
            seen[parent] = bool(places & {written, there, *written.parents, *there.parents})
        if seen[parent]:
            return path
    return None


def run_above(out: Path, kinds: Iterable[str] = CLOSED) -> Path | None:
    """The folder above `out`, as it is written or through links, that dapt fills and that nothing else may be written
    into; None where there is none.

    Args:
        kinds: of folders, as manifests name them.
    """
    for parent in dict.fromkeys((*as_written(out).parents, *resolved(out).parents)):
        try:
            manifest = read_manifest(parent)
        except ConfigError:
            return parent
        if manifest is None and (is_old_run(parent) or is_old_masks(parent)):
            return parent
        if manifest is not None and manifest.kind in kinds:
            return parent
    return None


def refuse_linked(folder: Path, names: Iterable[str]) -> None:
    """Refuse to write files `names` of `folder` where a folder in between is a link.

    Args:
        names: paths within the folder, with forward slashes.

    Raises:
        ConfigError: naming the link.
    """
    for parent in dict.fromkeys((folder / name).parent for name in names):
        if reached_by_link(folder, parent / "x"):
            raise ConfigError(
                f"{parent} is reached through a link, so what is written there would land elsewhere.",
                todo="Put a folder in the place of the link, or choose another folder for the output.",
            )
