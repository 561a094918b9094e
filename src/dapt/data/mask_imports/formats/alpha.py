"""Cut-outs: pictures that are transparent around the object, beside the photographs or in a folder of their own."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace

from dapt.data.load.colours import may_be_transparent
from dapt.data.load.picture_files import DAMAGE, Refusal, decoded, opened
from dapt.data.mask_imports.base import IMPORTS, Annotated, Asked, Found, MaskImport, Things, nothing_there
from dapt.data.mask_imports.pictures import by_pattern
from dapt.data.mask_imports.source import Source
from dapt.data.masks.mask_files import has_transparency
from dapt.data.masks.rules import MaskRules
from dapt.data.read.kinds import ending
from dapt.data.read.mask_words import photo_stems

KINDS = (".png", ".apng", ".webp", ".tif", ".tiff", ".gif", ".avif", ".avifs", ".jp2")
_TOOLS = re.compile(  # remove.bg, Photoroom, rembg and others
    r"(?P<photo>.+?)[-_. ](?:removebg(?:[-_ ]preview)?|photoroom|(?:no|without)[-_ ]?(?:bg|background)|out|rembg)",
    re.IGNORECASE,
)
SAMPLE = 8
MOST = 0.5
OPAQUE = Things("picture without an alpha channel", "pictures without an alpha channel")


@IMPORTS.register("alpha")
class AlphaImport(MaskImport):
    """What is at least half opaque is foreground; a photograph may be its own cut-out."""

    title = "cut-outs"
    tables = False
    options = ("mask_name",)

    def evidence(self, source: Source, asked: Asked) -> str:
        names = [name for name in source.tree.pictures if ending(name) in KINDS]
        sample = names[:: max(1, len(names) // SAMPLE)][:SAMPLE]
        seen = [name for name in sample if _is_cut_out(source, name)]
        return f"{seen[0]} and others are transparent in parts" if seen and len(seen) > MOST * len(sample) else ""

    def read(self, source: Source, asked: Asked) -> Found:
        found = Found(self.title)
        rules = MaskRules("alpha")
        if asked.rules.name is not None:
            return by_pattern(found, source, replace(asked, rules=asked.rules.read_as("alpha")))
        for name in source.tree.pictures:
            if ending(name) not in KINDS:
                continue
            if not _has_channel(source, name):
                found.leave_out(OPAQUE, name)
                continue
            found.files.append(name)
            found.pictures.append(Annotated(_names(name), (), (source.top / name,), name, rules))
        if not found.files:
            raise nothing_there(source, "cut-outs", "pictures with an alpha channel (PNG, WebP, TIFF)")
        return found


def _names(name: str) -> tuple[str, ...]:
    """What the photograph of a cut-out may be called: as it is, or without what tools put behind."""
    folder, last = posixpath.split(name)
    stem = last.rpartition(".")[0]
    tool = _TOOLS.fullmatch(stem)
    shorter = [tool["photo"]] if tool else [photo for photo, _ in photo_stems(stem)]
    return (posixpath.normpath(name), *(posixpath.join(folder, each) for each in shorter))


def _is_cut_out(source: Source, name: str) -> bool:
    try:
        with decoded(source.top / name) as image:
            image.load()
            return has_transparency(image)
    except (*DAMAGE, Refusal):
        return False


def _has_channel(source: Source, name: str) -> bool:
    """Whether a picture may be transparent; one that cannot be opened may, and is told of when it is read."""
    try:
        with opened(source.top / name) as image:
            return may_be_transparent(image)
    except (*DAMAGE, Refusal):
        return True
