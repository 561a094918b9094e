"""`Finding`: one thing that was noticed about data, as a plain value; and the images it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dapt.data.items import UNLABELLED, ImageSet, Item

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
SPLITS = ("train", "val", "test")
SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed.

    Attributes:
        kind: what it is, one word or two with an underscore. severity: error (what is measured means nothing, or a
            run stops), warning (likely a mistake), note (good to know).
        what: one sentence with the first names. todo: what to do about it.
        names: all images or classes it is about. groups: of those, the ones that belong together.
    """

    kind: str
    severity: Severity
    what: str
    todo: str = ""
    names: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "what": self.what,
            "todo": self.todo,
            "names": list(self.names),
            "groups": [list(group) for group in self.groups],
        }


class Used(NamedTuple):
    """An image in the split it is used in."""

    item: Item
    split: str


def used_images(data: ImageSet) -> list[Used]:
    """All images of a data set, training images first; an image of two splits in each of them."""
    return [Used(item, split) for split in dict.fromkeys((*SPLITS, *data.splits)) for item in data.split(split)]


def class_of(item: Item, names: Sequence[str]) -> str:
    """The classes of an image in words; ``no class`` where it has none."""
    labels = [label for label in item.labels or (item.label,) if label != UNLABELLED]
    return " and ".join(f"'{names[label]}'" for label in labels) or "no class"


def grouped(kind: str, severity: Severity, what: str, todo: str, groups: Iterable[Sequence[str]]) -> Finding:
    """A finding about groups of images or classes."""
    found = tuple(tuple(group) for group in groups)
    names = tuple(dict.fromkeys(name for group in found for name in group))
    return Finding(kind, severity, what, todo, names, found)


def count(number: int, what: str, several: str = "") -> str:
    """A number with its noun: ``1 image``, ``2 images``, ``3 classes``."""
    return f"{number:,} {what if number == 1 else several or what + 's'}"
