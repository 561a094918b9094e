"""Base against novel accuracy, with lines of equal harmonic mean."""

from __future__ import annotations

import math
from typing import Any

from dapt.report.chart import Chart, key_below, styles_of
from dapt.report.chart_style import INK
from dapt.report.overview.material import Material
from dapt.report.overview.part import Part, cut, slug
from dapt.report.overview.shots_curves import few_rows
from dapt.report.tables.grid import Grid
from dapt.report.tables.kinds import BASE, HARMONIC, NOVEL

MOST = 6


def base_novel(material: Material) -> Part:
    """A chart of each base-to-novel table."""
    part = Part("scatter", "Base against novel classes")
    grids = [each.grid for each in material.shown if each.grid.kind == "base-to-novel" and _both(each.grid)]
    if not grids:
        part.missing = "no run was trained on base classes (subset: base) and could name the novel ones"
        return part
    part.says.append(
        "Thin lines join points of equal harmonic mean; up and to the right is better. Bars: ± one standard "
        "deviation over seeds."
    )
    part.charts = [_chart(grid) for grid in grids[:MOST]]
    part.notes += cut(min(len(grids), MOST), len(grids), "tables")
    return part


def _both(grid: Grid) -> list[str]:
    return [row for row in few_rows(grid) if (row, BASE) in grid.cells and (row, NOVEL) in grid.cells]


def isolines(low: tuple[float, float], high: tuple[float, float]) -> list[tuple[float, list[float], list[float]]]:
    """Curves of equal harmonic mean ``h`` within a frame: ``y = h x / (2 x - h)``, from ``2 x y / (x + y) = h``.

    Args:
        low, high: corners of the frame, base and novel.

    Returns:
        of each line its harmonic mean, and its points.
    """
    ends = [2 * x * y / (x + y) if x + y else 0.0 for x, y in (low, high)]
    step = next(step for step in (0.5, 1, 2, 5, 10, 20, 50) if (ends[1] - ends[0]) / step <= 7 or step == 50)
    found = []
    for number in range(math.ceil(ends[0] / step), math.floor(ends[1] / step) + 1):
        mean = number * step
        xs = [low[0] + (high[0] - low[0]) * place / 40 for place in range(41)]
        points = [(x, mean * x / (2 * x - mean)) for x in xs if 2 * x > mean]
        inside = [(x, y) for x, y in points if low[1] <= y <= high[1]]
        if len(inside) > 1:
            found.append((mean, [x for x, _ in inside], [y for _, y in inside]))
    return found


def _chart(grid: Grid) -> Chart:
    rows = _both(grid)
    looks = styles_of(rows)
    bases, novels = ([grid.cells[row, column] for row in rows] for column in (BASE, NOVEL))

    def draw(axes: Any) -> None:
        handles = []
        for row, base, novel in zip(rows, bases, novels, strict=True):
            options = {**looks[row].options(), "linestyle": "none", "markersize": 6, "elinewidth": 0.8}
            handles.append(axes.errorbar(base.mean, novel.mean, xerr=base.std or 0, yerr=novel.std or 0, **options))
        axes.margins(0.15)
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        left, bottom = max(left, 0.1), max(bottom, 0.1)
        for mean, x, y in isolines((left, bottom), (right, top)):
            axes.plot(x, y, color=INK, linewidth=0.5, alpha=0.5, zorder=0)
            axes.text(x[0], y[0], f"{mean:g}", fontsize=6, color=INK, alpha=0.8, ha="left", va="top")
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        axes.set_xlabel("base accuracy, percent")
        axes.set_ylabel("novel accuracy, percent")
        key_below(axes, handles, rows)

    table = []
    for row, base, novel in zip(rows, bases, novels, strict=True):
        harmonic = grid.cells.get((row, HARMONIC))
        table.append(
            (row, f"{base.mean:.2f}", f"{novel.mean:.2f}", "–" if harmonic is None else f"{harmonic.mean:.2f}")
        )
    says = "Base accuracy to the right, novel accuracy upwards, a point for each of " + f"{len(rows)} rows."
    return Chart(
        f"base-novel-{slug(grid.title)}", grid.title, says, ("method", BASE, NOVEL, HARMONIC), table, draw, 0.75
    )
