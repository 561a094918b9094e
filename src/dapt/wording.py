"""How lists of names are put into sentences."""

from __future__ import annotations

from collections.abc import Sequence


def some(names: Sequence[str], shown: int = 3) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def listing(names: Sequence[str]) -> str:
    """All of them, with "and" before the last."""
    return " and ".join([*filter(None, [", ".join(names[:-1])]), *names[-1:]])
