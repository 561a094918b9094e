"""Figures by row and column, each with its values by data set and seed; and what is told of a cell."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from dapt.report.decimals import DECIMALS
from dapt.wording import some

AVERAGE = "Average"


@dataclass(frozen=True)
class Seen:
    """One figure of one run.

    Attributes:
        row, column: where it belongs. data, seed: of the run, by which figures are paired. value: in percent.
    """

    row: str
    column: str
    data: str
    seed: int
    value: float


@dataclass(frozen=True)
class Cell:
    """What a table shows at a row and column.

    Attributes:
        mean: over data sets, then over seeds. std: population standard deviation over seeds; None of a single one.
        seeds: how many. values: by data set and seed. rank: 1 for the best of its column, 2 for the second; else 0.
        published: it was published elsewhere, with that source.
    """

    mean: float
    std: float | None = None
    seeds: int = 1
    values: dict[tuple[str, int], float] = field(default_factory=dict)
    rank: int = 0
    published: str = ""


@dataclass
class Grid:
    """A table.

    Attributes:
        title: what it shows. rows, columns: in order. cells: by row and column; what was not measured is absent.
        lower_is_better: columns of figures that are better when lower. main: the column that differences are told of.
        kind, data: what table it is, and of which data set, `AVERAGE` for the average. notes: sentences for below.
    """

    title: str
    rows: list[str]
    columns: list[str]
    cells: dict[tuple[str, str], Cell]
    lower_is_better: frozenset[str] = frozenset()
    main: str = ""
    kind: str = ""
    data: str = ""
    notes: list[str] = field(default_factory=list)

    def most_seeds(self, column: str) -> int:
        """The largest number of seeds that a figure of a column is the mean of, published ones aside; 0 of none."""
        cells = (self.cells.get((row, column)) for row in self.rows)
        return max((cell.seeds for cell in cells if cell is not None and not cell.published), default=0)


def cell_of(seen: Iterable[Seen]) -> Cell | None:
    """The cell of some figures; None where there are none.

    Of several data sets only seeds that all of them have count, so that no mean is over fewer data sets than another.
    Several figures of one data set and seed count as one, their mean.
    """
    found: dict[tuple[str, int], list[float]] = {}
    for each in seen:
        found.setdefault((each.data, each.seed), []).append(each.value)
    if not found:
        return None
    values = {key: statistics.fmean(several) for key, several in found.items()}
    datas = {data for data, _ in values}
    seeds = sorted({seed for _, seed in values})
    whole = [seed for seed in seeds if all((data, seed) in values for data in datas)]
    if not whole:
        return None
    means = [statistics.fmean(values[data, seed] for data in sorted(datas)) for seed in whole]
    kept = {key: value for key, value in values.items() if key[1] in whole}
    return Cell(statistics.fmean(means), statistics.pstdev(means) if len(means) > 1 else None, len(means), kept)


def harmonic_mean(base: Cell, novel: Cell) -> Cell:
    """The harmonic mean of two cells, as the field computes it: of the two means as they are printed.

    Its spread is that of the harmonic means of each seed. CoCoOp (arXiv 2203.05557) and all after it print the means
    over seeds with two decimals and take the harmonic mean of those, also of averages over data sets.
    """
    first, second = round(base.mean, DECIMALS), round(novel.mean, DECIMALS)
    values = {key: _harmonic(value, novel.values[key]) for key, value in base.values.items() if key in novel.values}
    by_seed = cell_of(Seen("", "", data, seed, value) for (data, seed), value in values.items())
    std, seeds = (by_seed.std, by_seed.seeds) if by_seed is not None else (None, 1)
    return Cell(_harmonic(first, second), std, seeds, values)


def _harmonic(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first + second else 0.0


def ranked(grid: Grid) -> Grid:
    """The grid with the best and second of each column marked; equals share a rank.

    Published figures take no part, nor do means over fewer seeds than another one of the column.
    """
    for column in grid.columns:
        most = grid.most_seeds(column)
        found = {row: cell for row in grid.rows if (cell := grid.cells.get((row, column))) is not None}
        cells = {row: cell for row, cell in found.items() if not cell.published and cell.seeds == most}
        if len(cells) < 2:
            continue
        sign = -1 if column in grid.lower_is_better else 1
        shown = sorted({round(sign * cell.mean, DECIMALS) for cell in cells.values()}, reverse=True)
        for row, cell in cells.items():
            place = shown.index(round(sign * cell.mean, DECIMALS))
            grid.cells[row, column] = replace(cell, rank=place + 1 if place < 2 else 0)
    return grid


def fill(title: str, seen: Sequence[Seen], columns: Sequence[str]) -> Grid:
    """A grid of figures; rows stand in the order in which they come first.

    A note tells where several runs gave one figure.
    """
    rows = list(dict.fromkeys(each.row for each in seen))
    grouped: dict[tuple[str, str], list[Seen]] = {}
    for each in seen:
        grouped.setdefault((each.row, each.column), []).append(each)
    cells = {key: cell for key, group in grouped.items() if (cell := cell_of(group)) is not None}
    grid = Grid(title, rows, list(columns), cells)
    several = {row: None for (row, _), group in grouped.items() if len({_run_of(each) for each in group}) < len(group)}
    if several:
        grid.notes.append(f"Several runs of one data set and seed count as one, their mean: {some(list(several), 5)}.")
    return grid


def _run_of(seen: Seen) -> tuple[str, int]:
    return seen.data, seen.seed
