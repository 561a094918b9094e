"""The folder that `dapt masks` fills, and training for itself: a store of masks, see `dapt.data.masks.mask_entries`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dapt.console import warn
from dapt.data.items import Item
from dapt.data.load.picture_files import comment_of
from dapt.data.masks.mask_entries import (
    PARTS,
    STATISTICS,
    MaskEntry,
    State,
    content_of,
    listed,
    next_number,
    part_folders,
    read_entries,
    read_part,
    remove_part,
    remove_place,
    state_of,
    store_tree,
    write_part,
    write_store,
)
from dapt.environment import cores
from dapt.errors import ConfigError, DataError
from dapt.files import read_json, write_json
from dapt.lock import FolderLock
from dapt.outputs import FILLED, check_folder, refuse_linked
from dapt.owned import Manifest, read_manifest, strangers, sweep, write_manifest
from dapt.runs.mask_settings import refuse_others, settings_there
from dapt.runs.shard import Shard
from dapt.wording import some

KIND = "masks"
PREVIEW = "preview.jpg"
COMMENT = b"made by dapt masks"  # in the preview, by which it is known again
PATIENCE_S = 60.0  # other shards hold the folder for moments only


class MaskFolder:
    """A folder of masks made with one set of settings.

    Masks that are there are kept, unless their image changed since and they are as they were made. Nothing else is
    ever removed.

    Args:
        path: the folder. settings: what decides the masks; of others they are not passed off as these.
        items: the images. shard: which of them this process makes masks for.
        made_for: names of the classes of the images, where the masks depend on them.
        seen: what `state_of` has told of images a moment ago, by name; the others are asked for it.

    Attributes:
        lock: held while masks are written; with shards, while they are begun and joined.
        settings: as far as they are known of masks that are kept.
        entries: what is known of masks, by image. made: names of the images whose masks were made by this object.
    """

    def __init__(
        self,
        path: Path,
        settings: dict[str, Any],
        items: Sequence[Item],
        shard: Shard | None = None,
        made_for: Mapping[str, str] | None = None,
        seen: Mapping[str, State] | None = None,
    ) -> None:
        self.path = path
        self.lock = FolderLock(path)
        self.settings = settings
        self.shard = shard or Shard()
        self.statistics_file = path / STATISTICS
        self.entries: dict[str, MaskEntry] = {}
        self.made: set[str] = set()
        self._items = items
        self._own = [item for item in items if self.shard.holds(item.name)]
        self._names = {item.name: mask_name(item) for item in items}
        self._made_for = dict(made_for or {})
        self._seen = dict(seen or {})
        self._part = path / PARTS / ("whole" if self.shard.whole else str(self.shard).replace("/", "-of-"))
        self._part_lock = FolderLock(self._part)
        self._next = 1

    def target(self, item: Item) -> Path:
        """Where the mask of an image goes."""
        return self.path / mask_name(item)

    def file_of(self, name: str) -> str:
        """The path within the folder of the mask of an image, by the image's name."""
        return self._names[name]

    @property
    def names(self) -> set[str]:
        """The names of all images."""
        return {*self._names}

    def made_for(self, item: Item) -> str:
        """The class for which the mask of an image is made; empty where that does not matter."""
        return self._made_for.get(item.name, "")

    def check_preview(self, sheets: Sequence[str] = (PREVIEW,)) -> None:
        """Refuse to write previews over a picture of somebody else's.

        Raises:
            ConfigError: there is one.
        """
        for name in sheets:
            path = self.path / name
            if path.is_symlink() or (path.exists() and comment_of(path) != COMMENT):
                raise ConfigError(f"{path} exists, and dapt did not make it.", todo="Move it elsewhere.")

    def check(self) -> None:
        """Whether the masks may go there; changes nothing.

        Raises:
            ConfigError: the folder holds other things, or masks made with other settings, or links lead out of it.
            DataError: two images would share a mask file.
        """
        check_folder(self.path, FILLED)
        refuse_linked(self.path, [*self._names.values(), f"{PARTS}/x/x"])
        there = listed(self.path, self._names.values())
        owner: dict[str, str] = {}
        for item in self._items:
            name = self._names[item.name]
            if owner.setdefault(name, item.name) != item.name:
                raise DataError(
                    f"The images {owner[name]} and {item.name} would share the mask file {self.path / name}.",
                    todo="Give them different names.",
                )
        for name in (name for name, is_link in there.items() if is_link):
            if not (self.path / name).exists():
                raise ConfigError(
                    f"{self.path / name} is a link that leads nowhere.", todo="Remove it: the mask is made then."
                )
        manifest = read_manifest(self.path)
        if manifest is not None and manifest.kind != KIND:
            raise ConfigError(f"{self.path} holds {manifest.kind}, not masks.", todo="Choose another --out.")
        if self.statistics_file.is_file():
            self._check_settings()
        elif manifest is not None and there:
            raise ConfigError(
                f"{self.statistics_file} is gone, so it is not known what the masks in {self.path} were made with.",
                todo="Choose another --out.",
            )
        elif manifest is None and (found := strangers(self.path, ())):
            if read_manifest(self.path) is not None:  # another process has begun meanwhile
                return self.check()
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            raise ConfigError(
                f"{self.path} holds what dapt did not write: {found[0].name}{more}. It could be taken for masks.",
                todo="Choose another --out.",
            )

    def _check_settings(self) -> None:
        before = settings_there(self.statistics_file)
        if not self._is_blank():
            refuse_others(self.path, before, self.settings)

    def _is_blank(self) -> bool:
        """Whether nothing was made yet: a command that fails before its first mask leaves only its settings."""
        if not self.statistics_file.is_file() or set(read_json(self.statistics_file)) != {"settings"}:
            return False
        parts = part_folders(self.path)
        if any(next_number(part) > 1 or _in_use(part) for part in parts):
            return False
        return not listed(self.path, self._names.values())

    @contextmanager
    def writing(self, wait_s: float = 0.0) -> Iterator[list[Item]]:
        """Be the only writer of this shard; yields the images that have no mask yet.

        Args:
            wait_s: how long to wait for a process that makes all masks.

        Raises:
            ConfigError: another process is; or as `check`. DaptError: the folder cannot be used.
        """
        self.lock.take(wait_s if self.shard.whole else PATIENCE_S)
        try:
            self._refuse_others()
            left = self.begin()
            if not self.shard.whole:
                self._part_lock.take()
                self.lock.release()
            yield left
        except BaseException:
            self._part_lock.abandon()
            self.lock.abandon()
            raise
        self._part_lock.release()
        self.lock.release()

    def _refuse_others(self) -> None:
        """Whoever makes all masks is alone; shards are beside each other.

        Raises:
            ConfigError: another process makes a shard.
        """
        if self.shard.whole:
            for folder in part_folders(self.path):
                with FolderLock(folder):
                    pass

    def begin(self) -> list[Item]:
        """Note what the masks are made with, as the holder of `lock`; returns the images that have none yet.

        Raises:
            ConfigError: as `check`.
        """
        self.check()  # again, now that nobody else writes
        self.entries = self._joined()
        left = self._left()
        blank = self._is_blank()
        if self.statistics_file.is_file() and len(left) < len(self._own):
            self._check_noted(some_left=bool(left))
        write_manifest(self.path, Manifest(KIND, {STATISTICS: None, PREVIEW: None}))
        # other shards are writing theirs
        sweep(self.path, [STATISTICS, PREVIEW, *(self._names[item.name] for item in self._own)])
        if blank or not self.statistics_file.is_file():
            write_json(self.statistics_file, {"settings": self.settings}, make_parents=False)
        self._next = next_number(self._part)
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
        """The images of this shard that have no mask file."""
        there = self.there()
        return [item for item in self._own if item.name not in there]

    def there(self) -> set[str]:
        """The names of the images, of any shard, that have a mask file, or none to have because there is no mask."""
        found = listed(self.path, self._names.values())
        return {name for name, file in self._names.items() if file in found or self._has_none(name)}

    def _has_none(self, name: str) -> bool:
        """Whether it is known that the source has no mask of an image, and no file was written."""
        entry = self.entries.get(name)
        return entry is not None and entry.kind != "usable" and entry.mask is None and entry.image is not None

    def _left(self) -> list[Item]:
        """The images without a mask and, which is said, those that changed since it was made."""
        there = self.there()
        kept = [item for item in self._own if item.name in there]
        old = [item for item in kept if self._is_old(item)]
        if old:
            newer = "image is newer than its mask" if len(old) == 1 else "images are newer than their masks"
            warn(
                f"{len(old)} {newer}, the first: {old[0].name}. The masks are kept; remove those "
                "that no longer fit, and run again."
            )
        with ThreadPoolExecutor(cores()) as pool:
            changed = [item for item, other in zip(kept, pool.map(self._changed, kept), strict=True) if other]
        mended = [item.name for item in changed if self.is_mended(item)]
        if mended:
            warn(
                f"{len(mended)} of the images changed since their masks were made, which were mended by hand: "
                f"{some(mended)}. These masks are kept; remove those that no longer fit, and run again."
            )
        again = {item.name for item in changed} - {*mended}
        if again:
            warn(
                f"{len(again)} of the images changed since their masks were made ({some(sorted(again))}); "
                "these masks are made again."
            )
        return [item for item in self._own if item.name not in there or item.name in again]

    def _is_old(self, item: Item) -> bool:
        """Whether an image of whose content nothing is known is newer than its mask."""
        entry = self.entries.get(item.name)
        return (entry is None or entry.image is None) and _newer(item.path, self.target(item))

    def _changed(self, item: Item) -> bool:
        """Whether image or class are others than those the mask was made from, as far as that is known."""
        entry = self.entries.get(item.name)
        if entry is None or entry.image is None:
            return False
        if entry.made_for != self.made_for(item):
            return True
        state = self._seen.get(item.name) or state_of(item.path)
        if state == entry.seen:
            return False
        if content_of(item.path) != entry.image:
            return True
        self.entries[item.name] = replace(entry, seen=state)
        return False

    def is_mended(self, item: Item) -> bool:
        """Whether the mask file of an image is another one than was made."""
        entry = self.entries.get(item.name)
        return entry is not None and entry.mask is not None and content_of(self.target(item)) != entry.mask

    def note(self, entries: Mapping[str, MaskEntry]) -> None:
        """Note what is known of masks that are about to be written."""
        self.entries |= entries
        self.made |= entries.keys()
        write_part(self._part, self._next, entries)
        self._next += 1

    def _joined(self) -> dict[str, MaskEntry]:
        """What is known of all masks, whoever made them."""
        tree = read_json(self.statistics_file) if self.statistics_file.is_file() else {}
        found = read_entries(tree, self.statistics_file)
        for folder in part_folders(self.path):
            found |= read_part(folder)
        return found

    def gather(self) -> None:
        """Learn what other shards have noted meanwhile."""
        if not self.shard.whole:
            with self._briefly():
                self.entries = self._joined() | self._own_entries()

    @contextmanager
    def _briefly(self) -> Iterator[None]:
        """Hold the folder, for a moment where there are other shards."""
        held = self.lock.held
        self.lock.take(PATIENCE_S)
        try:
            yield
        finally:
            if not held:
                self.lock.abandon()

    def _own_entries(self) -> dict[str, MaskEntry]:
        return {item.name: self.entries[item.name] for item in self._own if item.name in self.entries}

    def finish(self, statistics: Mapping[str, Any]) -> dict[str, Any]:
        """Write ``masks.json`` and remove what that makes superfluous; returns its content.

        Args:
            statistics: what else it says.
        """
        with self._briefly():
            self.entries = self._joined() | self._own_entries()
            tree = store_tree({"settings": self.settings, **statistics}, self.entries)
            write_store(self.statistics_file, tree)
            self._part_lock.release()
            for folder in part_folders(self.path):
                if folder == self._part or not _in_use(folder):
                    remove_part(folder)
            remove_place(self.path)
        return tree

    def missing(self) -> dict[int, int]:
        """How many masks are not there yet, by number of the shard; of those that miss some."""
        there = self.there()
        found: dict[int, int] = {}
        for item in self._items:
            if item.name not in there:
                number = self.shard.of(item.name)
                found[number] = found.get(number, 0) + 1
        return dict(sorted(found.items()))


def _in_use(folder: Path) -> bool:
    try:
        with FolderLock(folder):
            return False
    except ConfigError:
        return True


def _newer(path: Path, other: Path) -> bool:
    return path.stat().st_mtime_ns > other.stat().st_mtime_ns


def mask_name(item: Item) -> str:
    """The path of an image's mask within the folder."""
    return Path(item.name).with_suffix(".png").as_posix()
