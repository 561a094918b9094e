"""What the pictures are like: unreadable ones, sizes, orientation tags, grey and empty pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from dapt.data.check.finding import Finding, count
from dapt.data.check.look import Look
from dapt.wording import some

TINY = 32  # pixels of the shorter side, below which a picture hardly shows anything
LONG = 4.0  # times as long as wide


def picture_findings(names: Sequence[str], looks: Sequence[Look]) -> list[Finding]:
    """Findings about single pictures.

    Args:
        names: of the images, in the order of `looks`.
    """
    pairs = list(zip(names, looks, strict=True))
    good = [(name, look) for name, look in pairs if not look.problem]
    found = []

    def add(kind: str, severity: Any, chosen: Sequence[tuple[str, Look]], what: str, todo: str) -> None:
        if chosen:
            told = what.format(number=count(len(chosen), "image"), s="" if len(chosen) > 1 else "s")
            found.append(
                Finding(kind, severity, f"{told} ({some([_told(*pair) for pair in chosen])}).", todo, _names(chosen))
            )

    add(
        "unreadable",
        "error",
        [(name, look) for name, look in pairs if look.problem and not look.refused],
        "{number} cannot be read",
        "Replace or remove such files; training stops at them unless --skip-bad is given.",
    )
    add(
        "refused",
        "error",
        [(name, look) for name, look in pairs if look.problem and look.refused],
        "{number} of a kind or size that is not read",
        "Save them as JPEG or PNG, or see --max-pixels; training stops at them unless --skip-bad is given.",
    )
    add(
        "flat",
        "warning",
        [(name, look) for name, look in good if look.flat],
        "{number} of one colour",
        "There is nothing to learn from in them; look at where they come from.",
    )
    add(
        "tiny",
        "warning",
        sorted(
            [(name, look) for name, look in good if _short(look) < TINY], key=lambda pair: (_short(pair[1]), pair[0])
        ),
        f"{{number}} with a side of less than {TINY} pixels",
        "The model sees them enlarged to its own size.",
    )
    add(
        "long",
        "warning",
        sorted(
            [(name, look) for name, look in good if _aspect(look) > LONG],
            key=lambda pair: (-_aspect(pair[1]), pair[0]),
        ),
        f"{{number}} more than {LONG:g} times as long as wide",
        "The model sees a square cut from the middle of them.",
    )
    add(
        "turned",
        "note",
        [(name, look) for name, look in good if look.turned],
        "{number} that a tag in the file turns",
        "They are used upright; masks have to be drawn for that.",
    )
    grey = [(name, look) for name, look in good if look.grey and not look.flat]
    if len(grey) < len(good):
        add("grey", "note", grey, "{number} without colour among coloured ones", "")
    return found


def size_summary(looks: Sequence[Look]) -> dict[str, Any]:
    """Sizes and kinds of the pictures: ``smallest``, ``median`` and ``largest`` side lengths in pixels, ``kinds``."""
    good = [look for look in looks if not look.problem]
    if not good:
        return {}
    by_area = sorted((look.width * look.height, look.width, look.height) for look in good)
    return {
        "smallest": list(by_area[0][1:]),
        "largest": list(by_area[-1][1:]),
        "median_width": median(look.width for look in good),
        "median_height": median(look.height for look in good),
        "kinds": dict(Counter(look.kind for look in good).most_common()),
    }


def _told(name: str, look: Look) -> str:
    if look.problem:
        return name
    return f"{name}, {look.width} x {look.height}" if _short(look) < TINY or _aspect(look) > LONG else name


def _names(pairs: Sequence[tuple[str, Look]]) -> tuple[str, ...]:
    return tuple(name for name, _ in pairs)


def _short(look: Look) -> int:
    return min(look.width, look.height)


def _aspect(look: Look) -> float:
    return max(look.width, look.height) / max(1, _short(look))
