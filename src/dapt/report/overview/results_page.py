"""The page of `dapt report`: all its parts in one file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dapt.console import progress
from dapt.environment import version
from dapt.outputs import check_marked
from dapt.report.chart import Chart
from dapt.report.overview.audits import audits
from dapt.report.overview.base_novel import base_novel
from dapt.report.overview.calibration import calibration
from dapt.report.overview.classes import class_differences, confusions
from dapt.report.overview.costs import costs
from dapt.report.overview.cue_figures import cue_figures
from dapt.report.overview.headline import headline
from dapt.report.overview.learning_curves import learning_curves
from dapt.report.overview.made_with import commands, environment
from dapt.report.overview.material import Material
from dapt.report.overview.part import Part
from dapt.report.overview.shots_curves import shots_curves
from dapt.report.pages import write_page
from dapt.report.tables.formats import MISSING, Shown, figure, gap

MARK = '<meta name="generator" content="dapt report">'
TABLES = 40  # on the page
UNREAD = 20

BEFORE: tuple[Callable[[Material], Part], ...] = (
    shots_curves,
    base_novel,
    class_differences,
    confusions,
    learning_curves,
    cue_figures,
    audits,
    calibration,
)
AFTER: tuple[Callable[[Material], Part], ...] = (costs, environment, commands)


def parts_of(material: Material, more: Sequence[Part] = ()) -> list[Part]:
    """All parts of the page, those with nothing to show among them.

    Args:
        more: of what was asked of models, see `dapt.report.overview.gallery`.
    """
    made = [make(material) for make in progress(BEFORE, len(BEFORE), "reading runs", "parts")]
    return _apart([*made, *more, *(make(material) for make in AFTER)])


def charts_of(parts: Sequence[Part]) -> list[Chart]:
    """The charts of all parts, each of a name of its own."""
    return [chart for part in parts for chart in part.charts]


def _apart(parts: list[Part]) -> list[Part]:
    """The parts, with a number behind the names of charts that are not the first of that name."""
    from dataclasses import replace

    seen: dict[str, int] = {}
    for part in parts:
        for place, chart in enumerate(part.charts):
            seen[chart.name] = seen.get(chart.name, 0) + 1
            if seen[chart.name] > 1:
                part.charts[place] = replace(chart, name=f"{chart.name}-{seen[chart.name]}")
    return parts


def check_page(path: Path | None) -> None:
    """Refuse to write over a file that is no page of `dapt report`.

    Raises:
        ConfigError: it is another file.
    """
    check_marked(path, MARK, "--html", by="dapt report")


def write_results_page(path: Path, material: Material, parts: Sequence[Part]) -> None:
    """Write the page into a folder that is there, whole or not at all.

    Raises:
        DaptError: the file system refuses.
    """
    shown = [part for part in parts if part.shown]
    charts = charts_of(shown)
    script = files(__package__.rpartition(".")[0]).joinpath("templates", "report.js").read_text(encoding="utf-8")
    unread = list(material.unread.items())
    content = {
        "name": ", ".join(Path(place).name or place for place in material.places),
        "headline": headline(material),
        "tables": [_table(each) for each in material.shown[:TABLES]],
        "cut_tables": [f"{TABLES} of {len(material.shown)} tables are shown; dapt report --format csv has all of them."]
        if len(material.shown) > TABLES
        else [],
        "parts": shown,
        "svgs": {chart.name: Markup(chart.svg()) for chart in progress(charts, len(charts), "drawing", "charts")},
        "missing": [part for part in parts if not part.shown],
        "unread": unread[:UNREAD],
        "unread_more": f"{len(unread) - UNREAD} more folders could not be read." if len(unread) > UNREAD else "",
        "number": _number,
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "version": version(),
    }
    write_page(path, "report.html.j2", content)


def _table(shown: Shown) -> dict[str, Any]:
    """A table of results as the template shows it."""
    grid = shown.grid
    rows = []
    for row in grid.rows:
        cells: list[dict[str, Any]] = []
        for column in grid.columns:
            cell = grid.cells.get((row, column))
            text, rank = (MISSING, 0) if cell is None else (figure(cell), cell.rank)
            value = "" if cell is None else f"{cell.mean:.6g}"
            cells.append({"text": text, "rank": rank, "value": value, "gap": False})
        for found in (shown.hosts, shown.zero):
            if found:
                value = f"{found[row].mean:.6g}" if row in found else ""
                cells.append({"text": gap(found.get(row)), "rank": 0, "value": value, "gap": True})
        rows.append({"name": row, "cells": cells})
    return {"title": grid.title, "head": shown.head(), "rows": rows, "notes": grid.notes}


def _number(text: str) -> str:
    """What a cell is sorted by: the number it begins with; empty where it begins with none."""
    found = re.match(r"[+-]?[\d,]*\.?\d+(?:e[+-]?\d+)?", text)
    return "" if found is None else found[0].replace(",", "")
