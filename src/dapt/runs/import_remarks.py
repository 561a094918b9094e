"""What an import of masks has left out, cut, guessed or put together: refused, said, and noted in masks.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dapt.console import say, warn
from dapt.data.load.notes import several
from dapt.data.mask_imports.base import Found, Things
from dapt.errors import DaptError, DataError
from dapt.files import read_json
from dapt.wording import some

SHOWN = 10
UNKNOWN = "unknown"
OVERLAPPING = "overlapping"
# Kinds of remarks, as they are said of one photo and of several.
SENTENCES = (
    ("not read", "annotated photo is there, and not read", "annotated photos are there, and not read"),
    ("without objects", "photo has no object, so no mask", "photos have no object, so no mask"),
    ("not annotated", "photo is not in the annotations", "photos are not in the annotations"),
    ("cut off at the edge", "object passes the edge of its photo and is cut", "objects pass the edge and are cut"),
    ("outside", "object lies outside of its photo", "objects lie outside of their photos"),
    ("nothing drawn", "photo has nothing within it, so no mask", "photos have nothing within them, so no mask"),
    (OVERLAPPING, "photo has categories that overlap: the union", "photos have categories that overlap: the union"),
    (
        "contrary",
        "annotation has the names of two photos: the first counts",
        "annotations have the names of two photos: the first counts",
    ),
    (
        "several files",
        "photo is annotated in several files: the union",
        "photos are annotated in several files: the union",
    ),
    (
        "size not told",
        "photo was annotated without its size: the numbers are taken for its pixels",
        "photos were annotated without their sizes: the numbers are taken for their pixels",
    ),
    ("resized", "photo was annotated in another size: scaled", "photos were annotated in another size: scaled"),
)


class Remarks:
    """By kind, the names of the photographs, or the sentences, that there is something to say of."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, what: str, name: str) -> None:
        """Note one."""
        self.found.setdefault(what, []).append(name)

    def refuse_or_say(self, problems: Sequence[str], what: Things, skip_bad: bool, kind: str, todo: str = "") -> None:
        """Refuse what is damaged, naming the first; with `skip_bad` it is counted and noted as `kind`.

        Args:
            todo: what the reader can do beside leaving it out; mending it where it is not said.

        Raises:
            DataError: there are problems.
        """
        if not problems:
            return
        if not skip_bad:
            these = "it" if len(problems) == 1 else "them"
            todo = f"Nothing was written. {todo or f'Mend {these}'}, or pass --skip-bad to go on without {these}."
            raise DataError(f"{counted(problems, what)}:", todo=todo, more=listed(problems))
        for problem in problems:
            self.add(kind, problem)
        warn(left_out(problems, what))

    def noted(self, found: Found) -> dict[str, Any]:
        """What masks.json says of the import."""
        return {
            "title": found.title,
            "files": len(found.files),
            "categories": list(found.labels),
            "left_out": {what: len(names) for what, names in found.left_out.items()},
            "taken": {what: len(names) for what, names in found.taken.items()},
            **({"objects": found.objects} if found.objects else {}),
            **{what.replace(" ", "_"): names for what, names in self.found.items()},
        }

    def say(self, found: Found, data: str, *, loose: bool) -> None:
        """Say all that was noted.

        Args:
            data: name of the photographs. loose: see `dapt.data.mask_imports.match_pictures.MatchedPictures`.
        """
        for what, names in found.left_out.items():
            warn(f"Left out: {counted(names, what)}; the first: {names[0]}.")
        for what, names in found.taken.items():
            say(f"{counted(names, what)}; the first: {names[0]}.")
        if loose:
            warn(
                "No folder in the annotations is one of the photos, so photos were found by their file names alone; "
                "look at some masks."
            )
        if unknown := self.found.get(UNKNOWN):
            which = several(unknown, "picture of the annotations is", "pictures of the annotations are")
            warn(f"{which} not in {data}: {some(unknown, SHOWN)}.")
        for kind, one, many in SENTENCES:
            if these := self.found.get(kind):
                say(f"{several(these, one, many)}; the first: {these[0]}.")


def noted_overlaps(file: Path, names: Sequence[str]) -> dict[str, list[str]] | None:
    """What a finished import has noted of photographs whose categories overlap; None where none was finished.

    Args:
        file: ``masks.json``. names: of the photographs.
    """
    try:
        tree = read_json(file)
        noted = [str(each) for each in tree["import"].get(OVERLAPPING, [])]
    except (DaptError, AttributeError, LookupError, TypeError):
        return None
    known = set(names)
    found: dict[str, list[str]] = {}
    for sentence in noted:
        ends = [place for place in range(len(sentence)) if sentence.startswith(" (", place)]
        for name in (name for place in ends if (name := sentence[:place]) in known):
            found.setdefault(name, []).append(sentence)
            break
    return found


def counted(found: Sequence[str], what: Things) -> str:
    """``1 mask cannot be used``, ``2 masks cannot be used``."""
    return several(found, what.one, what)


def left_out(problems: Sequence[str], what: Things) -> str:
    """What is said of damage that is skipped."""
    return f"{counted(problems, what)} and {'is' if len(problems) == 1 else 'are'} left out; the first: {problems[0]}"


def listed(lines: Sequence[str]) -> list[str]:
    """The first lines, indented, and how many more there are."""
    more = [f"  and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return [f"  {line}" for line in lines[:SHOWN]] + more
