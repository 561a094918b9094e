"""What a part of the page holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dapt.report.chart import Chart


@dataclass(frozen=True)
class PlainTable:
    """A small table: texts only, the first column names the row."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass
class Part:
    """A part of the page.

    Attributes:
        key, title: its id and heading. says: paragraphs above. charts, tables, gallery, code: what it shows.
        notes: sentences below: what was cut, what is counted. missing: why there is nothing to show; empty where
            there is.
    """

    key: str
    title: str
    says: list[str] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    tables: list[PlainTable] = field(default_factory=list)
    gallery: list[dict[str, Any]] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: str = ""

    @property
    def shown(self) -> bool:
        """Whether it has anything to show."""
        return bool(self.charts or self.tables or self.gallery or self.code)


def cut(shown: int, total: int, what: str) -> list[str]:
    """A note that not all is shown, or none."""
    return [f"{shown} of {total} {what} are shown."] if shown < total else []


def slug(text: str) -> str:
    """A text as a part of the name of a file: letters, digits and dashes."""
    plain = "".join(letter.lower() if letter.isascii() and letter.isalnum() else "-" for letter in text)
    return "-".join(filter(None, plain.split("-")))[:60] or "x"
