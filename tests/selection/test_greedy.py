"""Greedy maximisation: gains are differences of the documented functions, and laziness changes nothing."""

from __future__ import annotations

import pytest
import torch

from dapt.selection.greedy import FacilityLocation, GraphCut, SetFunction, blocks_of, lazy_greedy, plain_greedy


def likeness(count: int = 9, seed: int = 0) -> torch.Tensor:
    features = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (features @ features.t()).exp()


def cut(table: torch.Tensor, chosen: list[int]) -> float:
    inside = table[chosen][:, chosen].sum() if chosen else 0.0
    return float(table[chosen].sum() - inside)


def location(table: torch.Tensor, chosen: list[int]) -> float:
    return float(table[chosen].max(dim=0).values.sum()) if chosen else 0.0


def test_blocks() -> None:
    assert [block.tolist() for block in blocks_of(5, 2)] == [[0, 1], [2, 3], [4]]
    assert blocks_of(0) == []
    assert len(blocks_of(4096)) == 2


@pytest.mark.parametrize("seed", range(3))
def test_gains_of_facility_location_are_differences(seed: int) -> None:
    table = likeness(seed=seed)
    function = FacilityLocation(9, lambda index: table[index])
    chosen: list[int] = []
    for element in (4, 0, 7):
        expected = [location(table, [*chosen, other]) - location(table, chosen) for other in range(9)]
        assert torch.allclose(function.all_gains(), torch.tensor(expected, dtype=torch.float64))
        function.add(element)
        chosen.append(element)
    assert torch.allclose(function.nearest, table[chosen].max(dim=0).values)


def test_gains_of_the_graph_cut_are_differences_but_for_the_diagonal() -> None:
    """The gain of DeepCore leaves out what an element has in common with itself."""
    table = likeness()
    function = GraphCut(9, lambda index: table[index])
    chosen: list[int] = []
    for element in (4, 0, 7):
        others = [other for other in range(9) if other not in chosen]
        expected = [cut(table, [*chosen, o]) - cut(table, chosen) + float(table[o, o]) for o in others]
        gains = function.gains(torch.tensor(others))
        assert torch.allclose(gains, torch.tensor(expected, dtype=torch.float64))
        function.add(element)
        chosen.append(element)


@pytest.mark.parametrize("seed", range(5))
def test_laziness_changes_nothing_and_asks_less(seed: int) -> None:
    table = likeness(40, seed)
    asked = [0]

    class Counting(FacilityLocation):
        def gains(self, index: torch.Tensor) -> torch.Tensor:
            asked[0] += len(index)
            return super().gains(index)

    def run(how) -> tuple[list[int], int]:
        asked[0] = 0
        return how(Counting(40, lambda index: table[index]), 10), asked[0]

    plain, plainly = run(plain_greedy)
    lazy, lazily = run(lazy_greedy)
    assert lazy == plain
    assert len(set(plain)) == 10
    assert lazily < plainly


class Known(SetFunction):
    """Every element has its own value, whatever is chosen."""

    def __init__(self, values: list[float]) -> None:
        super().__init__(len(values), lambda index: torch.zeros(len(index), len(values)))
        self.values = torch.tensor(values)
        self.added: list[int] = []

    def gains(self, index: torch.Tensor) -> torch.Tensor:
        return self.values[index]

    def add(self, element: int) -> None:
        self.added.append(element)


@pytest.mark.parametrize("how", [plain_greedy, lazy_greedy])
def test_the_first_of_several_equal_ones_and_nothing_twice(how) -> None:
    function = Known([1.0, 3.0, -2.0, 3.0])
    assert how(function, 4) == [1, 3, 0, 2]
    assert function.added == [1, 3, 0, 2]
    assert how(Known([1.0]), 0) == []
