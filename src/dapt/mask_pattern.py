"""How mask files are called where they are not called as their images: ``{stem}_mask.png``."""

from __future__ import annotations

import posixpath
import re

from dapt.errors import ConfigError, did_you_mean
from dapt.registry import registered_in
from dapt.strict import shown

PLACES = ("stem", "name", "parent")  # of the image: its name without extension, with it, and the folder it lies in
_PLACE = re.compile(r"\{([^{}]*)\}")


def check_pattern(pattern: str) -> str:
    """`pattern`, if mask files can be found by it.

    Raises:
        ConfigError: it has an unknown place, none at all, leads out of the folder of masks, or has ``*`` in a folder.
    """
    where = "mask_name"
    for place in _PLACE.findall(pattern):
        if place not in PLACES:
            todo = did_you_mean(place, PLACES) if place else "Use {stem}, {name} or {parent}."
            raise ConfigError(f"A mask's name has no place {shown('{' + place + '}')}.", where=where, todo=todo)
    if not _PLACE.search(pattern):
        raise ConfigError(
            f"The mask name {shown(pattern)} would be the same for every image.",
            where=where,
            todo="Write {stem} where the image's name without extension stands, for example {stem}_mask.png.",
        )
    head, last = posixpath.split(pattern)
    if not last or pattern.startswith("/") or ".." in pattern.split("/"):
        raise ConfigError(
            f"The mask name {shown(pattern)} is no file below the folder of masks.", where=where, todo="See --masks."
        )
    if "*" in head:
        raise ConfigError(f"In {shown(pattern)} the * stands in a folder; it stands for a part of a file name only.")
    return pattern


def filled(pattern: str, image: str) -> tuple[str, list[str]]:
    """Folder of the mask files of an image, and the parts of their names, between which anything may stand.

    Args:
        pattern: see `check_pattern`. image: its name, with ``/`` between folders.
    """
    head, name = posixpath.split(image)
    values = {"stem": posixpath.splitext(name)[0], "name": name, "parent": posixpath.basename(head)}

    def fill(text: str) -> str:
        return _PLACE.sub(lambda place: values[place[1]], text)

    folder, last = posixpath.split(pattern)
    return posixpath.normpath(fill(folder)) if folder else "", [fill(part) for part in last.split("*")]


def annotation_format(kind: object) -> str:
    """What to say of a format that is none of mask files, and one that `dapt masks import` reads; else nothing."""
    if not isinstance(kind, str) or kind not in registered_in("dapt.data.mask_imports.formats"):
        return ""
    return (
        f"'{kind}' is a format of annotations, not of mask files: 'dapt masks import FOLDER --format {kind} --data "
        "PHOTOS --out MASKS' makes mask files of them, to be given with --masks."
    )
