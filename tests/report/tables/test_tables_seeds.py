"""What is said of the seeds of a table."""

from __future__ import annotations

from dapt.report.tables.grid import Cell, Grid
from dapt.report.tables.seeds import seed_notes

ALL = "In percent: means over 2 to 3 seeds, ± their standard deviation."


def test_a_row_with_fewer_seeds_is_named() -> None:
    cells = {("a", "x"): Cell(3.0, 1.0, 3), ("b", "x"): Cell(9.0, 1.0, 2), ("p", "x"): Cell(9.0, published="paper")}
    assert seed_notes(Grid("t", ["a", "b", "p"], ["x"], cells)) == [
        ALL,
        "b: 2 of 3 seeds. Its mean is not of the same runs as the others and has no rank.",
    ]
    assert len(seed_notes(Grid("t", ["a"], ["x"], cells))) == 1


def test_with_its_columns_where_they_are_not_all() -> None:
    cells = {(row, column): Cell(3.0, 1.0, 3) for row in "abc" for column in "xyz"}
    cells |= {("b", "y"): Cell(3.0, 1.0, 2), ("b", "z"): Cell(3.0, 1.0, 2), ("c", "x"): Cell(3.0, 1.0, 2)}
    assert seed_notes(Grid("t", ["a", "b", "c"], ["x", "y", "z"], cells)) == [
        ALL,
        "b: 2 of 3 seeds in y and z; c: 2 of 3 seeds in x. Their means are not of the same runs as the others and "
        "have no rank.",
    ]
