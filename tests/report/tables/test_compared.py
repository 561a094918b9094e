"""Differences to hosts and to zero-shot CLIP."""

from __future__ import annotations

from dapt.report.tables.compared import OF_SEEDS, to_hosts, to_zero_shot
from dapt.report.tables.grid import Cell, Seen, fill


def test_each_row_to_its_own_host() -> None:
    figures = {"Zero-shot CLIP": 10.0, "maple": 50.0, "maple + DAPT (joint)": 53.0, "coop + DAPT": 1.0}
    grid = fill("t", [Seen(row, "x", "d", seed, value) for row, value in figures.items() for seed in (1, 2)], ["x"])
    grid.main = "x"
    found = to_hosts(grid)
    assert list(found) == ["maple + DAPT (joint)"]
    assert found["maple + DAPT (joint)"].mean == 3.0
    assert {row: each.mean for row, each in to_zero_shot(grid).items()} == {
        "maple": 40.0,
        "maple + DAPT (joint)": 43.0,
        "coop + DAPT": -9.0,
    }


def test_published_figures_are_not_compared() -> None:
    grid = fill("t", [Seen("maple", "x", "d", 1, 50.0)], ["x"])
    grid.main = "x"
    grid.rows.append("maple + DAPT")
    grid.cells["maple + DAPT", "x"] = Cell(60.0, published="paper", values={("d", 1): 60.0})
    assert to_hosts(grid) == {}


def test_in_the_last_column_that_both_rows_have() -> None:
    figures = {("maple", "4"): 50.0, ("maple + DAPT", "4"): 52.0, ("maple", "16"): 60.0}
    grid = fill("t", [Seen(row, column, "d", 1, value) for (row, column), value in figures.items()], ["4", "16"])
    grid.main = "16"
    assert to_hosts(grid)["maple + DAPT"].mean == 2.0
    assert grid.notes == ["The difference of maple + DAPT is that in the column 4."]


def test_that_differences_are_of_single_seeds_is_said_of_harmonic_means() -> None:
    seen = [Seen(row, "HM", "d", seed, 50.0 + seed) for row in ("maple", "maple + DAPT") for seed in (1, 2)]
    grid = fill("t", seen, ["HM"])
    grid.main, grid.kind = "HM", "base-to-novel"
    to_hosts(grid)
    to_zero_shot(grid)
    assert grid.notes == [OF_SEEDS]
    other = fill("t", seen, ["HM"])
    other.main, other.kind = "HM", "few-shot"
    to_hosts(other)
    assert other.notes == []
