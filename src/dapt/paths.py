"""Paths as users write them: the home folder, and whether two of them lie in each other, links or not."""

from __future__ import annotations

import os
from pathlib import Path

from dapt.errors import ConfigError

LOCAL = "local-dir:"  # before a folder with a model, where names of models may stand


def user_cache() -> Path:
    """dapt's folder in the user's cache: in ``$XDG_CACHE_HOME``, else in ``~/.cache``.

    Raises:
        RuntimeError: nobody knows where the home folder is.
    """
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "dapt"


def kept_folder(variable: str, name: str) -> Path | None:
    """Where something is kept for later runs: what an environment variable names, else `name` in the user's cache.

    None: nobody knows a home.
    """
    chosen = os.environ.get(variable)
    try:
        return Path(with_home(chosen)) if chosen else user_cache() / name
    except RuntimeError:
        return None


def with_home(path: str) -> str:
    """`path` with ``~`` or ``~USER`` at its beginning replaced by the home folder.

    Shells leave it in ``--out=~/x``, in quotes and in files. A name that only begins with ``~`` stays as it is.

    Raises:
        ConfigError: nobody knows where the home folder is.
    """
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError:  # no such user, or no home
        if path == "~" or path[1:2] in (os.sep, os.altsep):
            raise ConfigError(f"It is not known what ~ in {path} stands for.", todo="Write the whole path.") from None
        return path


def as_written(path: Path) -> Path:
    """The absolute path without ``..``, links as they are."""
    return Path(os.path.normpath(path.absolute()))


def resolved(path: Path) -> Path:
    """Where the path leads, links followed as far as they can be."""
    return Path(os.path.realpath(path))


def both_ways(path: Path) -> tuple[Path, Path]:
    """The path as it is written and where it leads."""
    return as_written(path), resolved(path)


def same(one: Path, other: Path) -> bool:
    """Whether two paths are one place: by name, through links, or two names of one file."""
    return bool(set(both_ways(one)) & set(both_ways(other))) or _one_file(one, other)


def _one_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False


def within(path: Path, folder: Path) -> bool:
    """Whether `path` is `folder` or lies in it, as it is written or through links."""
    pairs = zip(both_ways(path), both_ways(folder), strict=True)
    if any(there == place or there in place.parents for place, there in pairs):
        return True
    there = resolved(path)
    return any(_one_file(each, folder) for each in (there, *there.parents))  # names may differ in case alone
