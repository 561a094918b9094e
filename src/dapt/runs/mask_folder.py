"""The folder that `dapt masks` fills: one mask per image, at the image's relative path, and masks.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dapt.console import warn
from dapt.data.items import Item
from dapt.data.load.picture_files import comment_of
from dapt.errors import ConfigError, DataError
from dapt.files import read_json, write_json
from dapt.lock import FolderLock
from dapt.outputs import FILLED, check_folder, refuse_linked
from dapt.owned import Manifest, read_manifest, strangers, sweep, write_manifest

KIND = "masks"
STATISTICS = "masks.json"
PREVIEW = "preview.jpg"
COMMENT = b"made by dapt masks"  # in the preview, by which it is known again


class MaskFolder:
    """A folder of masks made with one set of settings. Masks that are there are kept, so nothing is ever removed.

    Args:
        path: the folder. settings: what decides the masks; of others they are not passed off as these.
        items: the images.

    Attributes:
        lock: held while masks are written. settings: as far as they are known of masks that are kept.
    """

    def __init__(self, path: Path, settings: dict[str, Any], items: Sequence[Item]) -> None:
        self.path = path
        self.lock = FolderLock(path)
        self.settings = settings
        self._items = items
        self.statistics_file = path / STATISTICS

    def target(self, item: Item) -> Path:
        """Where the mask of an image goes."""
        return self.path / mask_name(item)

    def check_preview(self) -> None:
        """Refuse to write the preview over a picture of somebody else's.

        Raises:
            ConfigError: there is one.
        """
        path = self.path / PREVIEW
        if path.is_symlink() or (path.exists() and comment_of(path) != COMMENT):
            raise ConfigError(f"{path} exists, and dapt did not make it.", todo="Move it elsewhere.")

    def check(self) -> None:
        """Whether the masks may go there; changes nothing.

        Raises:
            ConfigError: the folder holds other things, or masks made with other settings, or links lead out of it.
            DataError: two images would share a mask file.
        """
        check_folder(self.path, FILLED)
        refuse_linked(self.path, map(mask_name, self._items))
        owner: dict[str, str] = {}
        for item in self._items:
            name = mask_name(item)
            if owner.setdefault(name, item.name) != item.name:
                raise DataError(
                    f"The images {owner[name]} and {item.name} would share the mask file {self.path / name}.",
                    todo="Give them different names.",
                )
            target = self.path / name
            if target.is_symlink() and not target.exists():
                raise ConfigError(f"{target} is a link that leads nowhere.", todo="Remove it: the mask is made then.")
        manifest = read_manifest(self.path)
        if manifest is not None and manifest.kind != KIND:
            raise ConfigError(f"{self.path} holds {manifest.kind}, not masks.", todo="Choose another --out.")
        if self.statistics_file.is_file():
            self._check_settings()
        elif manifest is not None and any(self.target(item).is_file() for item in self._items):
            raise ConfigError(
                f"{self.statistics_file} is gone, so it is not known what the masks in {self.path} were made with.",
                todo="Choose another --out.",
            )
        elif manifest is None and (found := strangers(self.path, ())):
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            raise ConfigError(
                f"{self.path} holds what dapt did not write: {found[0].name}{more}. It could be taken for masks.",
                todo="Choose another --out.",
            )

    def _check_settings(self) -> None:
        tree = read_json(self.statistics_file)
        before = tree.get("settings") if isinstance(tree, dict) else None
        if not isinstance(before, dict):
            raise ConfigError(
                f"{self.statistics_file} is damaged.", todo="Choose another --out, or remove that folder."
            )
        changed = [key for key, value in self.settings.items() if key in before and before[key] != value]
        changed += [key for key in before if key not in self.settings]  # said where it is not as usual
        if changed:
            key = changed[0]
            now = self.settings.get(key, "as usual")
            raise ConfigError(
                f"The masks in {self.path} were made with {key} {before.get(key)}, not {now}.",
                todo="Choose another --out, or remove that folder.",
            )

    def begin(self) -> list[Item]:
        """Note what the masks are made with, as the holder of `lock`; returns the images that have none yet.

        Raises:
            ConfigError: as `check`.
        """
        self.check()  # again, now that nobody else writes
        left = self.left()
        if self.statistics_file.is_file() and len(left) < len(self._items):
            self._check_noted(some_left=bool(left))
        write_manifest(self.path, Manifest(KIND, {STATISTICS: None, PREVIEW: None}))
        sweep(self.path, [STATISTICS, PREVIEW, *(mask_name(item) for item in self._items)])
        if not self.statistics_file.is_file():
            write_json(self.statistics_file, {"settings": self.settings}, make_parents=False)
        self._warn_of_old({item.name for item in left})
        return left

    def _check_noted(self, *, some_left: bool) -> None:
        """Masks of an earlier version do not say all that they were made with; they are not mixed with new ones.

        Raises:
            ConfigError: they would be.
        """
        noted = dict(read_json(self.statistics_file)["settings"])
        absent = ", ".join(sorted(set(self.settings) - set(noted)))
        if not absent:
            return
        what = f"The masks in {self.path} were made by an earlier version, which did not note: {absent}."
        if some_left:
            raise ConfigError(what, todo="Choose another --out, or remove that folder.")
        self.settings = {key: value for key, value in self.settings.items() if key in noted}
        warn(f"{what} They are kept.")

    def left(self) -> list[Item]:
        """The images that have no mask yet."""
        return [item for item in self._items if not self.target(item).is_file()]

    def _warn_of_old(self, left: set[str]) -> None:
        old = [item.name for item in self._items if item.name not in left and _newer(item.path, self.target(item))]
        if old:
            newer = "image is newer than its mask" if len(old) == 1 else "images are newer than their masks"
            warn(
                f"{len(old)} {newer}, the first: {old[0]}. The masks are kept; remove those "
                "that no longer fit, and run again."
            )


def _newer(path: Path, other: Path) -> bool:
    return path.stat().st_mtime_ns > other.stat().st_mtime_ns


def mask_name(item: Item) -> str:
    """The path of an image's mask within the folder."""
    return Path(item.name).with_suffix(".png").as_posix()
