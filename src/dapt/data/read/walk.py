"""The files below a folder, of which none is passed over in silence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from dapt.console import warn
from dapt.errors import DataError


def files_below(folder: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """The files at any depth below `folder`, sorted; links to folders are not followed, which is said.

    Args:
        wanted: whether a file counts.

    Raises:
        DataError: a folder cannot be read.
    """
    found: list[Path] = []
    links: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        inside = Path(place)
        found += filter(wanted, (inside / name for name in names))
        links += (inside / name for name in folders if (inside / name).is_symlink())
    if links:
        more = f" and {len(links) - 1} more" if len(links) > 1 else ""
        warn(f"Folders that are links are not looked into: {min(links)}{more}.")
    return sorted(found)


def sub_folders(folder: Path) -> list[Path]:
    """The folders in `folder`, and links to such, sorted, without hidden ones.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())
    except OSError as error:
        _refuse(error)
        raise


def _refuse(error: OSError) -> None:
    raise DataError(f"The folder {error.filename} cannot be read: {error.strerror or error}.") from error
