"""One mask per object: ``1_0.png`` and ``1_1.png`` of ``1.jpg``, or ``1/masks/*.png``; the union is the foreground."""

from __future__ import annotations

import posixpath

from dapt.data.mask_imports.base import IMPORTS, Annotated, Asked, Found, MaskImport, Things, nothing_there
from dapt.data.mask_imports.pictures import by_pattern, own_pictures, pictures_to_read, stems_of
from dapt.data.mask_imports.source import Source
from dapt.data.read.mask_words import IMAGE_FOLDERS

OTHERS = Things(
    "picture that is called like no photo with a number or name behind it",
    "pictures that are called like no photo with a number or name behind it",
)
COPIES = Things("picture that is a copy of a photo, by its name", "pictures that are copies of photos, by their names")
SEVERAL = 1.25  # masks per photograph, so that they are masks of objects


@IMPORTS.register("instances")
class InstancesImport(MaskImport):
    """Several masks per photograph, by what stands behind its name, or in a folder of its name."""

    title = "one mask per object"
    tables = False
    options = ("mask_format", "mask_name", "mask_background")

    def evidence(self, source: Source, asked: Asked) -> str:
        if asked.rules.name is not None and "*" in asked.rules.name:
            return f"--mask-name is {asked.rules.name}"
        stems = stems_of(asked.photos)
        names = own_pictures(source, asked)
        names = [name for name in names if not _is_copy(name, stems)]
        fitting = {name: photo for name in names if (photo := _photo(name, stems))}
        if not fitting or 2 * len(fitting) < len(names) or len(fitting) < SEVERAL * len(set(fitting.values())):
            return ""
        photos = len(set(fitting.values()))
        return (
            f"there are {len(fitting)} pictures for {photos} {'photo' if photos == 1 else 'photos'}, as {min(fitting)}"
        )

    def read(self, source: Source, asked: Asked) -> Found:
        found = Found(self.title)
        if asked.rules.name is not None:
            return by_pattern(found, source, asked)
        stems = stems_of(asked.photos)
        for name in pictures_to_read(source, asked):
            if _is_copy(name, stems):
                found.leave_out(COPIES, name)
                continue
            photo = _photo(name, stems)
            if not photo:
                found.leave_out(OTHERS, name)
                continue
            found.files.append(name)
            found.pictures.append(Annotated((photo,), (), (source.top / name,), name, asked.rules))
        if not found.files:
            raise nothing_there(
                source, "masks of objects", "pictures such as NAME_0.png, NAME_1.png (else say --mask-name)"
            )
        return found


def _is_copy(name: str, stems: set[str]) -> bool:
    """Whether a picture lies in a folder of images and is called as a photograph: no mask, but that one again."""
    folder, last = posixpath.split(name)
    return posixpath.basename(folder).lower() in IMAGE_FOLDERS and last.rpartition(".")[0].casefold() in stems


def _photo(name: str, stems: set[str]) -> str:
    """Where the photograph of a mask would be: by the name of the mask, the longest first, else by its folders."""
    folder, last = posixpath.split(name)
    stem = last.rpartition(".")[0]
    while stem:
        if stem.casefold() in stems:
            return posixpath.join(folder, stem)
        shorter = _shorter(stem)
        stem = shorter if shorter != stem else ""
    parts = folder.split("/")
    for place in reversed(range(len(parts))):
        if parts[place].casefold() in stems:
            return "/".join(parts[: place + 1])
    return ""


def _shorter(stem: str) -> str:
    """A stem without its last word; empty where it has one alone."""
    spot = max(stem.rfind(mark) for mark in "-_. ")
    return stem[:spot].rstrip("-_. ") if spot > 0 else ""
