"""Accuracy by background: bars of the audit tables."""

from __future__ import annotations

from typing import Any

from dapt.report.chart import Chart, key_below
from dapt.report.chart_style import COLOURS
from dapt.report.decimals import decimal
from dapt.report.overview.material import Material
from dapt.report.overview.part import Part, cut, slug
from dapt.report.overview.shots_curves import few_rows
from dapt.report.tables.grid import Grid

MOST, ROWS = 4, 8
VARIANTS = ("original", "only_fg", "mixed_same", "mixed_rand", "only_bg_t")


def audits(material: Material) -> Part:
    """A chart of each audit table: of `dapt audit`, and of runs of the protocol ``background_audit``."""
    part = Part("audit", "How much hangs on the background")
    grids = [each.grid for each in material.shown if each.grid.kind == "audit"]
    if not grids:
        part.missing = "there is no record of dapt audit among them, and no run of the protocol background_audit"
        return part
    part.says.append(
        "Accuracy on images taken apart into object and background and put together anew (dapt audit). What is lost "
        "between the background of the same class and that of a random one hangs on the background."
    )
    part.charts = [_chart(grid) for grid in grids[:MOST]]
    part.notes += cut(min(len(grids), MOST), len(grids), "tables")
    part.notes += [
        note
        for grid in grids[:MOST]
        for note in cut(len(few_rows(grid, ROWS)), len(grid.rows), f"rows of {grid.title}")
    ]
    return part


def _chart(grid: Grid) -> Chart:
    rows = few_rows(grid, ROWS)

    def draw(axes: Any) -> None:
        wide = 0.85 / len(rows)
        handles = []
        for number, row in enumerate(rows):
            there = [place for place, name in enumerate(VARIANTS) if (row, name) in grid.cells]
            cells = [grid.cells[row, VARIANTS[place]] for place in there]
            handles.append(
                axes.bar(
                    [place + (number - (len(rows) - 1) / 2) * wide for place in there],
                    [cell.mean for cell in cells],
                    wide * 0.9,
                    color=COLOURS[number % len(COLOURS)],
                    yerr=[cell.std or 0.0 for cell in cells],
                    error_kw={"linewidth": 0.7},
                    ecolor="#010203",
                    hatch="///" if number >= len(COLOURS) else "",
                )
            )
        axes.set_xticks(range(len(VARIANTS)), [name.replace("_", "\n") for name in VARIANTS])
        axes.set_ylabel("accuracy, percent")
        key_below(axes, handles, rows)

    table = [
        (row, *(decimal(grid.cells[row, name].mean) if (row, name) in grid.cells else "–" for name in VARIANTS))
        for row in rows
    ]
    says = "Bars of accuracy by variant; whiskers are ± the standard deviation over seeds."
    return Chart(f"audit-{slug(grid.title)}", grid.title, says, ("method", *VARIANTS), table, draw, high=0.7)
