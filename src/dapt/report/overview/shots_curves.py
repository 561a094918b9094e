"""Accuracy by shots, and by share of the training images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.report.chart import Chart, key_below, styles_of
from dapt.report.overview.material import Material
from dapt.report.overview.part import Part, cut, slug
from dapt.report.tables.grid import Cell, Grid
from dapt.report.tables.labels import host_of

MOST, LINES = 6, 10
X = {"few-shot": "shots per class", "data-efficient": "share of the training images"}


def shots_curves(material: Material) -> Part:
    """A chart of each table of shots or shares that has several of them."""
    part = Part("shots", "By number of images")
    grids = [each.grid for each in material.shown if each.grid.kind in X and len(each.grid.columns) > 1]
    if not grids:
        part.missing = "no table has several numbers of shots, or shares of the images"
        return part
    part.says.append("Means over seeds; bars are 95% intervals of the mean (1.96 standard deviations / √seeds).")
    part.charts = [_chart(grid) for grid in grids[:MOST]]
    part.notes += cut(min(len(grids), MOST), len(grids), "tables")
    part.notes += [
        note for grid in grids[:MOST] for note in cut(len(few_rows(grid)), len(grid.rows), f"rows of {grid.title}")
    ]
    return part


def few_rows(grid: Grid, most: int = LINES) -> list[str]:
    """So many rows of a table as a chart can show, see `few`; by the main column. Published ones are left out."""
    own = [row for row in grid.rows if not any(cell.published for (name, _), cell in grid.cells.items() if name == row)]
    sign = -1 if grid.main in grid.lower_is_better else 1
    figures = {row: sign * cell.mean for row in own if (cell := grid.cells.get((row, grid.main))) is not None}
    return few(own, figures, most)


def few(rows: Sequence[str], figures: Mapping[str, float], most: int = LINES) -> list[str]:
    """So many rows, in their order: of each method without DAPT and its best row with DAPT, then the other pairs, then
    the rest.

    Args:
        figures: by row; more is better.
    """
    with_dapt: dict[str, list[str]] = {}
    for row in rows:
        if (host := host_of(row, rows)) is not None:
            with_dapt.setdefault(host, []).append(row)
    best = [max(found, key=lambda row: figures.get(row, -math.inf)) for found in with_dapt.values()]
    pairs = [name for host, row in zip(with_dapt, best, strict=True) for name in (host, row)]
    further = [row for found in with_dapt.values() for row in found]
    wanted = list(dict.fromkeys([*pairs, *further, *rows]))[:most]
    return [row for row in rows if row in wanted]


def interval(cell: Cell) -> float:
    """Half the 95% interval of the mean over seeds; 0 of a single seed."""
    return 1.96 * cell.std / math.sqrt(cell.seeds) if cell.std is not None else 0.0


def _chart(grid: Grid) -> Chart:
    rows = few_rows(grid)
    looks = styles_of(rows)

    def draw(axes: Any) -> None:
        handles = []
        for row in rows:
            places = [place for place, column in enumerate(grid.columns) if (row, column) in grid.cells]
            cells = [grid.cells[row, grid.columns[place]] for place in places]
            means, bars = [cell.mean for cell in cells], [interval(cell) for cell in cells]
            options = {**looks[row].options(), "capsize": 2, "elinewidth": 0.8}
            handles.append(axes.errorbar(places, means, yerr=bars, **options))
        axes.set_xticks(range(len(grid.columns)), grid.columns)
        axes.set_xlabel(X[grid.kind])
        axes.set_ylabel("accuracy, percent")
        key_below(axes, handles, rows)

    table = [(row, *(_text(grid.cells.get((row, column))) for column in grid.columns)) for row in rows]
    says = f"Accuracy of {len(rows)} rows at {', '.join(grid.columns)} {X[grid.kind]}."
    return Chart(f"shots-{slug(grid.title)}", grid.title, says, ("method", *grid.columns), table, draw, high=0.65)


def _text(cell: Cell | None) -> str:
    return "–" if cell is None else f"{cell.mean:.2f} ± {interval(cell):.2f}"
