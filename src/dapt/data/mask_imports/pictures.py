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
from dapt.errors import DataError


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


def pictures_to_read(source: Source, asked: Asked) -> list[str]:
    """As `own_pictures`, where there have to be some.

    Raises:
        DataError: all pictures are photographs of the data.
    """
    found = own_pictures(source, asked)
    if source.tree.pictures and not found:
        raise DataError(
            f"Every picture in {source.given} is one of the photos, as the data is read.",
            todo="Say how the masks are called with --mask-name, for example '{stem}_*.png'.",
        )
    return found


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
