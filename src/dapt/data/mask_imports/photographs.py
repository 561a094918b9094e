"""The photographs that masks are imported for: those of the data, or all pictures of a folder that is no data yet."""

from __future__ import annotations

from pathlib import Path

from dapt.console import say
from dapt.data.items import UNLABELLED, ImageSet, Item
from dapt.data.read.beside import part_masks
from dapt.data.read.tree import look_through
from dapt.errors import DataError

PLAIN = "all"


def plain_photographs(folder: Path, refusal: DataError) -> ImageSet:
    """All photographs below a folder, without classes, which masks need not know; masks beside them are left out.

    Args:
        refusal: why the folder is not read as data, which is said.

    Raises:
        DataError: `refusal`, where there are no pictures.
    """
    tree = look_through(folder)
    parted = part_masks(tree.pictures, folder)
    if not parted.photos:
        raise refusal
    items = tuple(Item(folder / name, UNLABELLED, name) for name in parted.photos)
    say(f"{refusal.what} For the masks it is taken as a folder of {len(items)} photos without classes.")
    unused = {why: tuple(names) for why, names in tree.unused.items()}
    return ImageSet(folder.resolve().name, folder, (), {PLAIN: items}, unused=unused)
