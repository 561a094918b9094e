"""Where a data set lies on disk, and where the files that belong to it may be."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from dapt.console import say
from dapt.data.catalog.base import Dataset, Layout, Place
from dapt.errors import DataError


def bases(dataset: Dataset, layout: Layout, root: Path) -> list[Path]:
    """Folders in which a layout is looked for: under the data root, then under the data set's own folder.

    The second is where an archive lies that was unpacked there and brings the layout's folder itself.
    """
    return [root / layout.folder, root / dataset.folder / layout.folder]


def find_place(dataset: Dataset, root: Path) -> Place | None:
    """The first layout whose image folder exists and is not empty. One that cannot be read counts: reading it tells."""
    for layout in dataset.layouts:
        for base in bases(dataset, layout, root):
            images = base / layout.images
            if _fits(images, layout):
                return Place(layout, base, images)
    return None


def _fits(images: Path, layout: Layout) -> bool:
    try:
        if layout.holds:
            return any((images / name).is_dir() for name in layout.holds)
        with os.scandir(images) as entries:
            return any(not entry.name.startswith(".") for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def tell_namesake(name: str) -> None:
    """Say how to name a folder here that is called like a data set of the catalog, if there is one."""
    if Path(name).exists():
        say(f"'{name}' is the data set of the catalog; for the folder of that name here write ./{name}.")


def require_place(dataset: Dataset, root: Path) -> Place:
    """`find_place`, which must succeed.

    Raises:
        DataError: no layout is there; the message says where it was looked for.
    """
    place = find_place(dataset, root)
    if place is None:
        looked = [
            (PurePosixPath(layout.folder) / layout.images / name).as_posix()
            for layout in dataset.layouts
            for name in layout.holds or ("",)
        ]
        raise DataError(
            f"{dataset.title} is not under {root} (looked for {', '.join(looked)}).",
            todo=f"Run 'dapt data download {dataset.name}', or name the data root with --root or $DAPT_DATA."
            + (f" For the folder {dataset.name} here write ./{dataset.name}." if Path(dataset.name).exists() else ""),
        )
    return place


def companions(dataset: Dataset, place: Place, root: Path) -> list[Path]:
    """Folders in which files beside the images are looked for, nearest first: the place's own, then other layouts'."""
    found = [place.images.parent] if place.layout.images else []
    found += _up(place.root, root)
    for layout in dataset.layouts:
        for base in bases(dataset, layout, root):
            found += _up(base, root)
    return list(dict.fromkeys(found))


def _up(folder: Path, root: Path) -> list[Path]:
    """`folder` and those above it, down to the data root, which is left out."""
    parts = folder.relative_to(root).parts
    return [root.joinpath(*parts[:count]) for count in range(len(parts), 0, -1)]


def find_beside(name: str, folders: Iterable[Path]) -> Path | None:
    """The first existing file or folder of that relative name."""
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    return None
