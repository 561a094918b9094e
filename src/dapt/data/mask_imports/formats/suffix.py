"""Masks that are called as their photographs with a word behind or before: ``cat_mask.png`` beside ``cat.jpg``."""

from __future__ import annotations

import posixpath

from dapt.data.mask_imports.base import IMPORTS, Annotated, Asked, Found, MaskImport, Things, nothing_there
from dapt.data.mask_imports.pictures import by_pattern, own_pictures, pictures_to_read, stems_of
from dapt.data.mask_imports.source import Source
from dapt.data.read.mask_words import called_mask, photo_stems

ENOUGH = 0.5  # of the photographs, or of the pictures that are none, fit
OTHERS = Things(
    "picture that is not called like a mask of a photo", "pictures that are not called like masks of a photo"
)


@IMPORTS.register("suffix")
class SuffixImport(MaskImport):
    """One mask per photograph, by a word in its name; ``--mask-name`` says another."""

    title = "masks by a word in their name"
    tables = False
    options = ("mask_format", "mask_name", "mask_background")

    def evidence(self, source: Source, asked: Asked) -> str:
        if asked.rules.name is not None and "*" not in asked.rules.name:
            return f"--mask-name is {asked.rules.name}"
        stems = stems_of(asked.photos)
        names = own_pictures(source, asked)
        fitting = [name for name in names if called_mask(_stem(name)) and any(_photos(name, stems))]
        enough = len(fitting) >= ENOUGH * min(len(names), len(asked.photos))
        return f"{fitting[0]} and others are called like masks" if fitting and enough else ""

    def read(self, source: Source, asked: Asked) -> Found:
        found = Found(self.title)
        if asked.rules.name is not None:
            return by_pattern(found, source, asked)
        stems = stems_of(asked.photos)
        for name in pictures_to_read(source, asked):
            folder = posixpath.dirname(name)
            photos = _photos(name, stems) or ([of for of, _ in photo_stems(_stem(name))] if _called(name) else [])
            if not photos:
                found.leave_out(OTHERS, name)
                continue
            names = tuple(posixpath.join(folder, photo) for photo in photos)
            found.files.append(name)
            found.pictures.append(Annotated(names, (), (source.top / name,), name, asked.rules))
        if not found.files:
            raise nothing_there(
                source, "masks by a word in their name", "pictures such as NAME_mask.png (else say --mask-name)"
            )
        return found


def _stem(name: str) -> str:
    return posixpath.basename(name).rpartition(".")[0]


def _called(name: str) -> bool:
    return called_mask(_stem(name))


def _photos(name: str, stems: set[str]) -> list[str]:
    """The photographs that a picture may be a mask of, by their stems."""
    return [of for of, _ in photo_stems(_stem(name)) if of.casefold() in stems]
