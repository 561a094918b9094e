"""Over how many seeds the figures of a table are: what is said of it, and which rows have fewer than others."""

from __future__ import annotations

from dapt.report.tables.grid import Grid
from dapt.wording import counted, listing


def seed_notes(grid: Grid, unit: str = "In percent") -> list[str]:
    """What the figures of a table are and over how many seeds, and the rows with fewer seeds than others."""
    counts = [cell.seeds for cell in grid.cells.values() if not cell.published]
    low, high = min(counts, default=0), max(counts, default=0)
    seeds = counted(high, "seed") if low == high else f"{low} to {high} seeds"
    notes = [f"{unit}: means over {seeds}" + (", ± their standard deviation." if high > 1 else ".")]
    short = _short(grid)
    if short:
        rows = "; ".join(f"{row}: {told}" for row, told in short.items())
        its, has = ("Its mean is", "has") if len(short) == 1 else ("Their means are", "have")
        notes.append(f"{rows}. {its} not of the same runs as the others and {has} no rank.")
    return notes


def _short(grid: Grid) -> dict[str, str]:
    """By row with fewer seeds than others of a column: ``2 of 3 seeds``, with the columns where they are not all."""
    found: dict[str, str] = {}
    for row in grid.rows:
        told: dict[str, list[str]] = {}
        for column in grid.columns:
            cell, most = grid.cells.get((row, column)), grid.most_seeds(column)
            if cell is not None and not cell.published and cell.seeds < most:
                told.setdefault(f"{cell.seeds} of {counted(most, 'seed')}", []).append(column)
        own = [column for column in grid.columns if (row, column) in grid.cells]
        parts = [text if columns == own else f"{text} in {listing(columns)}" for text, columns in told.items()]
        if parts:
            found[row] = ", ".join(parts)
    return found
