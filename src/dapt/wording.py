"""How lists of names are put into sentences."""

from __future__ import annotations

from collections.abc import Sequence


def some(names: Sequence[str], shown: int = 3) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: ``1 mask``, ``2 masks``; `many` where that is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listing(names: Sequence[str]) -> str:
    """All of them, with "and" before the last."""
    return " and ".join([*filter(None, [", ".join(names[:-1])]), *names[-1:]])
