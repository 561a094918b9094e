"""Mask pictures in a folder, and which of its pictures may be masks."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from pathlib import Path

from dapt.data.items import UNLABELLED, Item
from dapt.data.mask_imports.base import Annotated, Asked, Found
from dapt.data.mask_imports.source import Source
from dapt.data.masks.mask_finder import MaskFinder


def stems_of(photos: Iterable[str]) -> set[str]:
    """What photographs are called, without folders and extensions, in lower case."""
    return {posixpath.splitext(posixpath.basename(photo))[0].casefold() for photo in photos}


def own_pictures(source: Source, asked: Asked) -> list[str]:
    """The pictures of a folder that are none of the photographs."""
    if asked.top is None:
        return list(source.tree.pictures)
    top, here = os.path.realpath(asked.top), os.path.realpath(source.top)
    photos = {os.path.normpath(Path(top, name)) for name in asked.photos}
    return [name for name in source.tree.pictures if os.path.normpath(Path(here, name)) not in photos]


def by_pattern(found: Found, source: Source, asked: Asked) -> Found:
    """The masks of all photographs by ``--mask-name``.

    Raises:
        DataError: one mask file would serve two photographs.
    """
    finder = MaskFinder(source.top, asked.rules.kind, asked.rules.name)
    top = asked.top or source.top
    items = [Item(top / name, UNLABELLED, name) for name in asked.photos]
    finder.check(items)
    for item in items:
        for path in finder.find(item):
            name = path.relative_to(source.top).as_posix()
            found.files.append(name)
            found.pictures.append(Annotated((item.name,), (), (path,), name, asked.rules))
    return found
