"""Greedy maximisation of set functions over similarities that are computed when they are asked for."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

BLOCK = 2048  # elements whose similarities to all are in memory at once
Similarities = Callable[[Tensor], Tensor]  # positions [k] to their similarities to all [k, N]


def blocks_of(count: int, size: int = BLOCK) -> list[Tensor]:
    """The positions 0 .. count - 1 in blocks of `size`."""
    return [torch.arange(start, min(start + size, count)) for start in range(0, count, size)]


class SetFunction(ABC):
    """A function of a growing set, known by its gains.

    Args:
        count: N, the size of the ground set. similar: similarities of some elements to all.
    """

    def __init__(self, count: int, similar: Similarities) -> None:
        self.count = count
        self.similar = similar

    @abstractmethod
    def gains(self, index: Tensor) -> Tensor:
        """What each of the elements at `index` ``[k]`` would add to the present set, ``[k]``."""

    @abstractmethod
    def add(self, element: int) -> None:
        """Put an element into the set."""

    def all_gains(self) -> Tensor:
        """The gains of all elements ``[N]``, block by block."""
        return torch.cat([self.gains(block) for block in blocks_of(self.count)])


class GraphCut(SetFunction):
    """``sum_{i, a in A} S_ia - sum_{a, b in A} S_ab``: much like everything, little like each other.

    The gain of j is ``sum_i S_ij - 2 sum_{a in A} S_aj``, the form of DeepCore.
    """

    def __init__(self, count: int, similar: Similarities) -> None:
        super().__init__(count, similar)
        self._chosen = torch.zeros(count, dtype=torch.double)
        self._column = torch.cat([similar(block).double().sum(dim=1) for block in blocks_of(count)])

    def gains(self, index: Tensor) -> Tensor:
        return self._column[index] - 2 * self._chosen[index]

    def add(self, element: int) -> None:
        self._chosen += self.similar(torch.tensor([element]))[0].double()


class FacilityLocation(SetFunction):
    """``sum_i max_{a in A} S_ia``: every element has somebody near it in the set."""

    def __init__(self, count: int, similar: Similarities) -> None:
        super().__init__(count, similar)
        self.nearest = torch.zeros(count, dtype=torch.double)

    def gains(self, index: Tensor) -> Tensor:
        return (self.similar(index).double() - self.nearest).clamp_min(0).sum(dim=1)

    def add(self, element: int) -> None:
        self.nearest = torch.maximum(self.nearest, self.similar(torch.tensor([element]))[0].double())


def plain_greedy(function: SetFunction, budget: int) -> list[int]:
    """`budget` elements, each the one with the largest gain, the first of several."""
    chosen: list[int] = []
    taken = torch.zeros(function.count, dtype=torch.bool)
    for _ in range(budget):
        best = int(function.all_gains().masked_fill(taken, -torch.inf).argmax())
        function.add(best)
        taken[best] = True
        chosen.append(best)
    return chosen


def lazy_greedy(function: SetFunction, budget: int) -> list[int]:
    """The choice of `plain_greedy`, asking for few gains again.

    Gains of a submodular function only fall as the set grows, so an element whose renewed gain is still on top is the
    best one (Minoux 1978).
    """
    waiting = [(-float(gain), element) for element, gain in enumerate(function.all_gains())]
    heapq.heapify(waiting)
    chosen: list[int] = []
    while len(chosen) < budget:
        _, element = heapq.heappop(waiting)
        renewed = (-float(function.gains(torch.tensor([element]))[0]), element)
        if waiting and renewed > waiting[0]:
            heapq.heappush(waiting, renewed)
            continue
        function.add(element)
        chosen.append(element)
    return chosen
