"""The errors users can cause and mend. Each says what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from dapt.console import lines_of

LONGEST_NAME = 200


class DaptError(Exception):
    """A mistake in what the program was given. The command line prints it and exits with code 2.

    Args:
        what: one sentence that says what is wrong.
        where: the file, option or key it concerns.
        todo: what the reader can do about it.
        more: further lines between these, for example one for each of several files.

    Each is shown as one line, with the control characters of names in it as escapes (`dapt.console.visible`).
    """

    def __init__(self, what: str, *, where: str = "", todo: str = "", more: Sequence[str] = ()) -> None:
        self.what = what
        self.where = where
        self.todo = todo
        self.more = tuple(more)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One to three lines, and `more`: what, where, what to do."""
        lines = [self.what if not self.where else f"{self.what} ({self.where})", *self.more]
        if self.todo:
            lines.append(self.todo)
        return lines_of(lines)

    def __str__(self) -> str:
        return self.message


class ConfigError(DaptError):
    """A bad option or configuration key."""


class DataError(DaptError):
    """Missing, damaged or inconsistent images, masks or tables."""


class ModelError(DaptError):
    """A backbone or checkpoint that is missing, damaged, unsafe or does not fit."""


class NotSupportedError(DaptError):
    """A combination that cannot work, named together with what can."""


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like `name`; None if none is."""
    name = name[:LONGEST_NAME]  # comparing takes the time of its length times that of all names
    lowered = {option.lower(): option for option in sorted(set(known))}
    found = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    return lowered[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint naming the closest known name, or all known names when none is close."""
    options = sorted(set(known))
    near = closest(name, options)
    if near is not None:
        return f"Did you mean '{near}'?"
    if not options:
        return ""
    shown = ", ".join(options[:20]) + (", ..." if len(options) > 20 else "")
    return f"Available: {shown}."
