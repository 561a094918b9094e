"""The stores in which training keeps the masks of its cues: what there is, and being rid of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.data.masks.mask_entries import STATISTICS, part_folders, remove_part, store_entries
from dapt.errors import ConfigError, DaptError, did_you_mean
from dapt.files import remove_file
from dapt.lock import LOCK, MANIFEST, FolderLock
from dapt.owned import read_manifest, refuse_strangers, remove_empty, remove_known, strangers
from dapt.runs.kept_cues import DIGITS, stores_folder
from dapt.runs.mask_folder import KIND
from dapt.runs.mask_settings import settings_there

ALL = "all"
ASKED_FOR = "mask_format"  # among the settings of `dapt masks`, not of training
_NAME = re.compile(rf".+-[0-9a-f]{{{DIGITS}}}", re.DOTALL)


@dataclass(frozen=True)
class Store:
    """One store.

    Attributes:
        path: its folder. images: so many have an entry. size: bytes of all files. settings: what decides its masks;
            empty where they cannot be read.
    """

    path: Path
    images: int
    size: int
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        """By which it is removed."""
        return self.path.name


def mask_stores() -> list[Store]:
    """All stores, the largest first."""
    root = stores_folder()
    if root is None or not root.is_dir():
        return []
    found = [_look(path) for path in sorted(root.iterdir()) if path.is_dir() and _is_store(path)]
    return sorted(found, key=lambda store: -store.size)


def _is_store(path: Path) -> bool:
    """Whether training keeps its masks there, by the name; what `dapt masks` was asked for is its user's own."""
    if not _NAME.fullmatch(path.name):
        return False
    try:
        manifest = read_manifest(path)
    except ConfigError:
        return False
    return manifest is not None and manifest.kind == KIND and ASKED_FOR not in _settings(path)


def _settings(path: Path) -> dict[str, Any]:
    try:
        return settings_there(path / STATISTICS)
    except DaptError:
        return {}


def _look(path: Path) -> Store:
    size = sum(each.lstat().st_size for each in path.rglob("*") if each.is_file())
    settings = _settings(path)
    try:
        return Store(path, len(store_entries(path)) if settings else 0, size, settings)
    except DaptError:
        return Store(path, 0, size, {})


def remove_stores(name: str) -> list[Store]:
    """Remove a store, or all; returns what was removed.

    Raises:
        ConfigError: there is none of that name, a run is writing it, or it holds what dapt did not write.
        DaptError: the file system refuses.
    """
    stores = mask_stores()
    chosen = [store for store in stores if name in (store.name, ALL)]
    if not chosen and name != ALL:
        raise ConfigError(
            f"There is no store '{name}' in {stores_folder()}.", todo=did_you_mean(name, [each.name for each in stores])
        )
    for store in chosen:
        _remove(store.path)
    return chosen


def _remove(folder: Path) -> None:
    with FolderLock(folder):
        try:
            names = [Path(name).with_suffix(".png").as_posix() for name in store_entries(folder)]
        except DaptError:  # damaged: then all masks in it are taken for what they are
            names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.png")]
        for part in part_folders(folder):
            remove_part(part)
        refuse_strangers(folder, strangers(folder, [STATISTICS, *names]))
        remove_known(folder, [STATISTICS, *names])
        remove_file(folder / MANIFEST)
    (folder / LOCK).unlink(missing_ok=True)
    remove_empty(folder)
