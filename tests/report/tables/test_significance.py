"""Differences by hand, against scipy's own figures, and Holm's correction against its published rule."""

from __future__ import annotations

import pytest

from dapt.report.tables.grid import Cell
from dapt.report.tables.significance import Difference, difference, signed_rank, with_holm

pytest.importorskip("scipy")


def cell(*values: float, data: str = "d") -> Cell:
    return Cell(0.0, values={(data, seed): value for seed, value in enumerate(values)})


def test_paired_on_what_both_have() -> None:
    one = Cell(0.0, values={("a", 1): 5.0, ("a", 2): 7.0, ("b", 1): 100.0})
    other = Cell(0.0, values={("a", 1): 4.0, ("a", 2): 4.0, ("c", 1): 0.0})
    found = difference(one, other)
    assert (found.mean, found.pairs) == (2.0, 2)
    assert found.low == 1.0
    assert found.high == 3.0
    assert difference(one, cell(1.0, data="z")) is None


def test_a_single_pair_has_no_interval() -> None:
    found = difference(cell(5.0), cell(3.0))
    assert (found.mean, found.low, found.high, found.p) == (2.0, 2.0, 2.0, None)


def test_the_interval_is_that_of_the_mean() -> None:
    gaps = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    found = difference(cell(*gaps), cell(*[0.0] * 8))
    assert found.low == pytest.approx(3.0, abs=0.25)
    assert found.high == pytest.approx(6.0, abs=0.25)
    assert found == difference(cell(*gaps), cell(*[0.0] * 8)), "the draws are those of a seed"


def test_signed_ranks() -> None:
    assert signed_rank([1.0, 2.0, 3.0]) == pytest.approx(0.25)  # 2 of the 8 choices of signs are as far
    assert signed_rank([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(2 / 32)
    assert signed_rank([0.0, 1.0, 2.0, 3.0]) == pytest.approx(0.25)
    assert signed_rank([0.0, 0.0]) is None


def test_holm() -> None:
    """0.01, 0.04 and 0.03 of three: 3 * 0.01, then 2 * 0.03, then no less than that."""
    found = with_holm({name: Difference(1, 0, 2, 9, p) for name, p in (("a", 0.01), ("b", 0.04), ("c", 0.03))})
    assert {name: round(each.holm, 6) for name, each in found.items()} == {"a": 0.03, "b": 0.06, "c": 0.06}
    assert with_holm({"a": Difference(1, 0, 2, 1)})["a"].holm is None
    assert with_holm({"a": Difference(1, 0, 2, 9, 0.9), "b": Difference(1, 0, 2, 9, 0.8)})["b"].holm == 1.0
