"""Which categories make up the foreground, and which are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dapt.data.mask_imports.match_pictures import Job
from dapt.strict import nfc
from dapt.wording import listing

SHOWN = 8


@dataclass
class Categories:
    """Objects by category, the most frequent first; without numbers where nobody counts them, as in label maps.

    Attributes:
        used: those that are foreground. left_out: those that are not wanted.
    """

    used: Mapping[str, int | None] = field(default_factory=dict)
    left_out: Mapping[str, int | None] = field(default_factory=dict)

    def sentence(self) -> str:
        """What is foreground, for the user; empty where no category is known."""
        if not self.used and not self.left_out:
            return ""
        chosen = bool(self.left_out)
        found = f"The foreground is {'' if chosen else 'all that is annotated: '}{_told(self.used) or 'nothing'}"
        if chosen:
            return f"{found}. Left out by --classes: {_told(self.left_out)}."
        return f"{found}{'; --classes takes some alone' if len(self.used) > 1 else ''}."


def choose(jobs: Iterable[Job], labels: Sequence[str], classes: Sequence[str] | None) -> Categories:
    """Keep the objects of some categories in `jobs` alone, and count all.

    Args:
        labels: the categories that there are; they are told, without numbers, of mask pictures.
        classes: the wanted ones; None: all.
    """
    wanted = None if classes is None else {nfc(name) for name in classes}
    counts: Counter[str] = Counter()
    pictures = False
    for job in jobs:
        counts.update(mark.label for mark in job.marks)
        pictures = pictures or bool(job.files)
        if wanted is not None:
            job.marks = [mark for mark in job.marks if nfc(mark.label) in wanted]
    numbers: dict[str, int | None] = dict(counts.most_common())
    if pictures:
        numbers |= {label: None for label in labels if label not in numbers}
    elif wanted is not None:
        numbers |= {label: 0 for label in labels if nfc(label) in wanted and label not in numbers}
    used = {label: number for label, number in numbers.items() if wanted is None or nfc(label) in wanted}
    return Categories(used, {label: number for label, number in numbers.items() if label not in used})


def _told(numbers: Mapping[str, int | None]) -> str:
    """The first categories with their numbers, the unit with the first one, and how many more there are."""
    told: list[str] = []
    for label, number in numbers.items():
        unit = "" if told else " object" if number == 1 else " objects"
        told.append(label if number is None else f"{label} ({number:,}{unit})")
    if len(told) > SHOWN + 1:
        told[SHOWN:] = [f"{len(told) - SHOWN} more"]
    return listing(told)
