"""Photographs of which masks are wanted, in a folder that is no data yet: masks need no classes."""

from __future__ import annotations

from pathlib import Path

from dapt.console import say
from dapt.data.items import UNLABELLED, ImageSet, Item
from dapt.data.read.beside import part_masks
from dapt.data.read.tree import look_through
from dapt.errors import DataError
from dapt.wording import counted

PLAIN = "all"


def plain_photographs(folder: Path, refusal: DataError, *, deep: bool = True) -> ImageSet:
    """All photographs of a folder, without classes; masks beside them are theirs.

    Args:
        refusal: why the folder is not read as data, which is said. deep: also those in sub-folders.

    Raises:
        DataError: `refusal`, where there are no pictures, or some in sub-folders and not `deep`.
    """
    tree = look_through(folder)
    parted = part_masks(tree.pictures, folder)
    if not parted.photos or not (deep or all("/" not in name for name in parted.photos)):
        raise refusal
    masks = {name: folder / mask for name, mask in parted.masks.items()}
    items = tuple(Item(folder / name, UNLABELLED, name, masks.get(name)) for name in parted.photos)
    say(f"{refusal.what} Here it is taken as a folder of {counted(len(items), 'photo')} without classes.")
    unused = {why: tuple(names) for why, names in tree.unused.items()}
    return ImageSet(folder.resolve().name, folder, (), {PLAIN: items}, unused=unused)
