"""Differences of each row to its host and to zero-shot CLIP."""

from __future__ import annotations

from dapt.report.tables.grid import Grid
from dapt.report.tables.labels import host_of
from dapt.report.tables.significance import Difference, difference, with_holm

ZERO_SHOT = "zero_shot"


def to_hosts(grid: Grid) -> dict[str, Difference]:
    """The difference in the main column of every row with DAPT to the row of its method without, by row."""
    return _to(grid, {row: host for row in grid.rows if (host := host_of(row)) is not None})


def to_zero_shot(grid: Grid) -> dict[str, Difference]:
    """The difference in the main column of every other row to zero-shot CLIP, by row."""
    return _to(grid, {row: ZERO_SHOT for row in grid.rows if row != ZERO_SHOT})


def _to(grid: Grid, others: dict[str, str]) -> dict[str, Difference]:
    found: dict[str, Difference] = {}
    for row, other in others.items():
        one, two = grid.cells.get((row, grid.main)), grid.cells.get((other, grid.main))
        if one is None or two is None or one.published or two.published:
            continue
        if (gap := difference(one, two)) is not None:
            found[row] = gap
    return with_holm(found)
