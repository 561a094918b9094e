"""Cells of tables by hand: means over data sets and seeds, harmonic means as the field has them, ranks."""

from __future__ import annotations

import pytest

from dapt.report.tables.grid import Cell, Grid, Seen, cell_of, fill, harmonic_mean, ranked


def seen(values: dict[tuple[str, int], float]) -> list[Seen]:
    return [Seen("m", "c", data, seed, value) for (data, seed), value in values.items()]


def test_mean_over_data_sets_then_seeds() -> None:
    cell = cell_of(seen({("a", 1): 10, ("b", 1): 30, ("a", 2): 20, ("b", 2): 60}))
    assert (cell.mean, cell.std, cell.seeds) == (30.0, 10.0, 2)


def test_seeds_that_one_data_set_lacks_do_not_count() -> None:
    cell = cell_of(seen({("a", 1): 10, ("b", 1): 30, ("a", 2): 99}))
    assert (cell.mean, cell.std, cell.seeds) == (20.0, None, 1)
    assert set(cell.values) == {("a", 1), ("b", 1)}
    assert cell_of(seen({("a", 1): 10, ("b", 2): 30})) is None
    assert cell_of([]) is None


@pytest.mark.parametrize(
    ("base", "novel", "printed"),
    [(82.28, 75.14, "78.55"), (80.47, 71.69, "75.83"), (69.34, 74.22, "71.70"), (82.69, 63.22, "71.66")],
)
def test_harmonic_means_of_the_papers(base: float, novel: float, printed: str) -> None:
    """Averages of eleven data sets as MaPLe (arXiv 2210.03117) prints them."""
    assert f"{harmonic_mean(Cell(base), Cell(novel)).mean:.2f}" == printed


def test_harmonic_mean_is_of_means_and_its_spread_that_of_seeds() -> None:
    base = cell_of(seen({("a", 1): 80.001, ("a", 2): 60.0}))
    novel = cell_of(seen({("a", 1): 40.0, ("a", 2): 60.0}))
    found = harmonic_mean(base, novel)
    assert found.mean == pytest.approx(2 * 70.0 * 50.0 / 120.0)
    assert found.std == pytest.approx((60 - 2 * 80.001 * 40 / 120.001) / 2)
    assert harmonic_mean(Cell(0.0), Cell(0.0)).mean == 0.0


def test_ranks() -> None:
    cells = {("a", "x"): Cell(3.0), ("b", "x"): Cell(3.001), ("c", "x"): Cell(2.0), ("d", "x"): Cell(1.0)}
    cells |= {
        ("p", "x"): Cell(9.0, published="paper"),
        ("a", "y"): Cell(5.0),
        ("b", "y"): Cell(4.0),
        ("a", "z"): Cell(1),
    }
    grid = ranked(Grid("t", ["a", "b", "c", "d", "p"], ["x", "y", "z"], cells, frozenset({"y"})))
    assert [grid.cells[row, "x"].rank for row in "abcdp"] == [1, 1, 2, 0, 0], "equal as they are printed"
    assert [grid.cells[row, "y"].rank for row in "ab"] == [2, 1], "lower is better"
    assert grid.cells["a", "z"].rank == 0, "of one alone nothing is the best"


def test_rows_stand_as_they_come() -> None:
    grid = fill(
        "t", [Seen("b", "1", "d", 1, 1.0), Seen("a", "1", "d", 1, 2.0), Seen("b", "2", "d", 1, 3.0)], ["1", "2"]
    )
    assert grid.rows == ["b", "a"]
    assert ("a", "2") not in grid.cells


def test_means_over_fewer_seeds_than_another_have_no_rank() -> None:
    cells = {("a", "x"): Cell(3.0, seeds=3), ("b", "x"): Cell(9.0, seeds=2), ("c", "x"): Cell(2.0, seeds=3)}
    grid = ranked(Grid("t", ["a", "b", "c"], ["x"], cells))
    assert [grid.cells[row, "x"].rank for row in "abc"] == [1, 0, 2]
    assert grid.most_seeds("x") == 3
