"""Differences of each row to its host and to zero-shot CLIP."""

from __future__ import annotations

from dataclasses import replace

from dapt.report.tables.grid import Grid
from dapt.report.tables.kinds import HARMONIC
from dapt.report.tables.labels import host_of, zero_shot_of
from dapt.report.tables.significance import Difference, difference, with_holm
from dapt.wording import some

OF_SEEDS = (
    "Δ is the mean of the differences that single seeds make in their own HM; the HM shown is that of the mean base "
    "and novel accuracy, as papers have it. So Δ is not exactly the difference of the HMs shown."
)


def to_hosts(grid: Grid) -> dict[str, Difference]:
    """The difference of every row with DAPT to the row of its method without, by row."""
    return _to(grid, {row: host for row in grid.rows if (host := host_of(row, grid.rows)) is not None})


def to_zero_shot(grid: Grid) -> dict[str, Difference]:
    """The difference of every other row to zero-shot CLIP of the same backbone, by row."""
    return _to(grid, {row: found for row in grid.rows if (found := zero_shot_of(row, grid.rows)) is not None})


def _to(grid: Grid, others: dict[str, str]) -> dict[str, Difference]:
    """Differences in the main column, or in the last that both rows have; of another than the main one a note tells."""
    found: dict[str, Difference] = {}
    elsewhere: dict[str, list[str]] = {}
    for row, other in others.items():
        for column in dict.fromkeys([grid.main, *reversed(grid.columns)]):
            one, two = grid.cells.get((row, column)), grid.cells.get((other, column))
            if one is None or two is None or one.published or two.published:
                continue
            if (gap := difference(one, two)) is not None:
                found[row] = replace(gap, column=column)
                if column != grid.main:
                    elsewhere.setdefault(column, []).append(row)
                break
    for column, rows in elsewhere.items():
        what = "The difference of" if len(rows) == 1 else "The differences of"
        note = f"{what} {some(rows)} {'is that' if len(rows) == 1 else 'are those'} in the column {column}."
        if note not in grid.notes:
            grid.notes.append(note)
    of_seeds = grid.kind == "base-to-novel" and any(gap.pairs > 1 and gap.column == HARMONIC for gap in found.values())
    if of_seeds and OF_SEEDS not in grid.notes:
        grid.notes.append(OF_SEEDS)
    return with_holm(found)
