"""What an import format is, and what it finds: objects with their places, or mask pictures, by picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.data.mask_imports.source import Source
from dapt.data.masks.rules import MaskRules
from dapt.data.outlines import Outline
from dapt.data.read.exports.coco_outlines import number_in
from dapt.errors import DataError, did_you_mean
from dapt.registry import Registry
from dapt.strict import nfc


class Things(str):
    """Things that deserve a word, in the plural; ``one`` is the singular, for sentences about a single one."""

    one: str

    def __new__(cls, one: str, many: str) -> Things:
        """Say it of one, and of many."""
        made = super().__new__(cls, many)
        made.one = one
        return made


NO_AREA = Things("line, point or other shape without an area", "lines, points or other shapes without an area")
FEW_POINTS = Things("polygon of fewer than three points", "polygons of fewer than three points")
BOXES = Things(
    "object is told by a box only, which holds background, too",
    "objects are told by a box only, which holds background, too",
)
CROWDS = Things("region of a crowd, which holds many objects", "regions of crowds, which hold many objects")
TEXTS = Things("number is written as text", "numbers are written as text")
NO_PLACE = Things("object without a place", "objects without a place")
UNNAMED = "(no name)"


@dataclass(frozen=True)
class Mark:
    """One object: what it is called, and where it is (all outlines of it together)."""

    label: str
    outlines: tuple[Outline, ...]


@dataclass(frozen=True)
class Wanted:
    """Which numbers, or colours, of mask pictures are those of the wanted categories.

    Attributes:
        numbers: of label maps. colours: of masks in colours, as 0xrrggbb.
    """

    numbers: frozenset[int] = frozenset()
    colours: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Annotated:
    """What is found of one picture.

    Attributes:
        names: how the picture may be called, likeliest first, with ``/`` between folders. marks: objects in it.
        files: mask pictures of it, of which the union counts. near: path of the file that says so, which settles
            which of several pictures of one name is meant. rules: how the mask pictures are read.
        wanted: which of their values are wanted; None: all that are foreground.
    """

    names: tuple[str, ...]
    marks: tuple[Mark, ...] = ()
    files: tuple[Path, ...] = ()
    near: str = ""
    rules: MaskRules = field(default_factory=MaskRules)
    wanted: Wanted | None = None


@dataclass(frozen=True)
class Asked:
    """What the user wants of an import.

    Attributes:
        classes: categories to keep; None: all. rules: how mask pictures are called and read; `kind` None is not said.
        photos: names of the photographs, relative to the data.
        top: folder of the photographs, where they have one.
    """

    classes: tuple[str, ...] | None = None
    rules: MaskRules = field(default_factory=MaskRules)
    kind_given: bool = False
    photos: tuple[str, ...] = ()
    top: Path | None = None


@dataclass
class Found:
    """What an import found.

    Attributes:
        title: of the format. pictures: what is annotated. labels: the categories that there are, in order.
        files: that were read. left_out, taken: things that deserve a word, with the names of their pictures.
        damaged: what cannot be understood, one sentence each. guesses: what was taken for granted, one sentence each.
        objects: how many of each category are in the photographs, where they are counted.
    """

    title: str
    pictures: list[Annotated] = field(default_factory=list)
    labels: dict[str, None] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    left_out: dict[Things, list[str]] = field(default_factory=dict)
    taken: dict[Things, list[str]] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    objects: dict[str, int] = field(default_factory=dict)

    def leave_out(self, what: Things, picture: str) -> None:
        """Count a thing that is not used."""
        self.left_out.setdefault(what, []).append(picture)

    def take(self, what: Things, picture: str) -> None:
        """Count a thing that is used, and may not be what is meant."""
        self.taken.setdefault(what, []).append(picture)

    def damage(self, picture: str, file: str, what: str) -> None:
        """Note an object of a picture that cannot be understood."""
        self.damaged.append(f"{file}: {what} (of {picture})" if picture else f"{file}: {what}")

    def number(self, value: Any, picture: str) -> float:
        """A coordinate, also one that is written as text, which is counted.

        Raises:
            TypeError, ValueError: it is none.
        """
        if isinstance(value, str):
            value = float(value)
            self.take(TEXTS, picture)
        return number_in(value)

    def polygon(self, values: Sequence[Any], size: tuple[float, float], picture: str, file: str) -> Outline | None:
        """The polygon through corners x, y, x, y, ...; None where there is none, which is counted."""
        if len(values) % 2:
            self.damage(picture, file, f"a polygon has an odd count of numbers, {len(values)}")
            return None
        try:
            numbers = tuple(self.number(value, picture) for value in values)
        except (TypeError, ValueError):
            self.damage(picture, file, "a polygon has corners that are no finite numbers")
            return None
        if len(numbers) < 6:
            self.leave_out(FEW_POINTS, picture)
            return None
        return Outline("polygon", numbers, size)

    def check_classes(self, classes: Iterable[str] | None) -> None:
        """Refuse categories that there are not.

        Raises:
            DataError: naming the first, and what it may mean.
        """
        unknown = sorted({nfc(name) for name in classes or ()}.difference(map(nfc, self.labels)))
        if unknown:
            raise DataError(
                f"There is no category '{unknown[0]}' in this {self.title} export.",
                where="--classes",
                todo=did_you_mean(unknown[0], self.labels) or "It names no categories: leave --classes out.",
            )


class MaskImport(ABC):
    """A format.

    Attributes:
        title: as its users call it. tables: outlines in text files, not pictures of masks.
        options: settings of mask files that it heeds: ``mask_format``, ``mask_name``, ``mask_background``.
    """

    title: str
    tables: bool = True
    options: tuple[str, ...] = ()

    @abstractmethod
    def evidence(self, source: Source, asked: Asked) -> str:
        """Why the files look like this format, completing "because ..."; empty if they do not. Opens few files."""

    @abstractmethod
    def read(self, source: Source, asked: Asked) -> Found:
        """All that there is.

        Raises:
            DataError: a file is damaged, or there is nothing of this format.
        """


IMPORTS: Registry[type[MaskImport]] = Registry("mask format to import", "dapt.data.mask_imports.formats")


def nothing_there(source: Source, title: str, needed: str) -> DataError:
    """The refusal of a folder that holds no files of a format."""
    return DataError(
        f"{source.given} holds no {title}: {needed}.", todo="Choose another --format, or leave it to --format auto."
    )
