"""How long frozen linear layers take by oneDNN and by the library behind torch's own function, measured in turn.

A machine is seldom quiet, and what else runs on it must not decide: every product is computed both ways one right after
the other, again and again, and the median of each counts. Of one thread the time of its own processor is taken, which
other programs have no part in.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from dapt.clip.linear import multiply

BATCH = 4  # images of a step, as the field trains
TEXT_TOKENS = 512  # of a step: what some dozens of classes have beyond their common prefix
BUDGET_S = 0.4  # beside the products that warm up
PATIENCE = 2.5  # so many budgets until there are `LEAST_ROUNDS`, on a machine that is busy
LEAST_ROUNDS, MOST_ROUNDS = 3, 25
ROUND_GFLOP = 4.0  # per thread: more cores have time for more tokens

Clock = Callable[[], float]
Multiply = Callable[..., Any]


@dataclass(frozen=True)
class Product:
    """A frozen linear layer: ``[rows, inputs]`` by a weight ``[outputs, inputs]``, in so many blocks."""

    rows: int
    inputs: int
    outputs: int
    blocks: int

    @property
    def gflop(self) -> float:
        """Work of one layer, forward and backward."""
        return 4e-9 * self.rows * self.inputs * self.outputs


@dataclass(frozen=True)
class Times:
    """Milliseconds of all products, forward and backward: the sum of the medians of each, of one block."""

    onednn_ms: float
    plain_ms: float


def block_products(blocks: Sequence[nn.Module], rows: int) -> tuple[Product, ...]:
    """The frozen products of blocks that are alike, for so many tokens; one each, with the number of blocks."""
    if not blocks:
        return ()
    attention: Any = blocks[0].attn
    weights: list[Tensor] = [attention.in_proj_weight, attention.out_proj.weight]
    weights += [part.weight for part in blocks[0].mlp.children() if type(part) is nn.Linear]  # type: ignore[union-attr]
    shapes = [(int(weight.shape[1]), int(weight.shape[0])) for weight in weights if weight.dim() == 2]
    return tuple(Product(rows, inputs, outputs, len(blocks)) for inputs, outputs in shapes)


def fewer_rows(products: Sequence[Product], threads: int) -> tuple[Product, ...]:
    """The products with as many tokens as one round of both ways has time for."""
    work = 2 * sum(each.gflop for each in products)
    share = min(1.0, ROUND_GFLOP * threads / work) if work else 1.0
    return tuple(replace(each, rows=max(1, round(each.rows * share))) for each in products)


def usual_clock() -> Clock:
    """The clock for products: with one thread that of its processor time, which waits while others compute."""
    return time.thread_time if torch.get_num_threads() == 1 else time.perf_counter


def measure(
    products: Sequence[Product],
    *,
    budget_s: float = BUDGET_S,
    clock: Clock | None = None,
    wall: Clock = time.perf_counter,
    product: Multiply = multiply,
) -> Times:
    """Times of the products by both libraries.

    It is done in a thread of its own, so that what surrounds this call (a counter of operations, autocast, fake
    tensors) has no part in it; torch's random numbers are left alone.

    Args:
        budget_s: rounds begin within so much; the first three within `PATIENCE` times that, the first in any case.
        clock: for products; None: the usual one. wall: for the budget. product: another one for tests.
    """
    with ThreadPoolExecutor(1, "linear-times") as alone:
        return alone.submit(_measured, products, budget_s, clock or usual_clock(), wall, product).result()


def _measured(products: Sequence[Product], budget_s: float, clock: Clock, wall: Clock, product: Multiply) -> Times:
    layers = [_layer(each, product) for each in products]
    found: list[dict[bool, list[float]]] = [{True: [], False: []} for _ in layers]
    for run in layers:
        for onednn in (True, False):
            run(onednn)
    begin, rounds = wall(), 0
    while not rounds or _goes_on(rounds, wall() - begin, budget_s):
        for run, times in zip(layers, found, strict=True):
            for onednn in (True, False) if rounds % 2 else (False, True):
                start = clock()
                run(onednn)
                times[onednn].append(clock() - start)
        rounds += 1
    weights = _shares(products)
    sums = {
        way: sum(weight * statistics.median(times[way]) for weight, times in zip(weights, found, strict=True))
        for way in (True, False)
    }
    return Times(1e3 * sums[True], 1e3 * sums[False])


def _goes_on(rounds: int, seconds: float, budget_s: float) -> bool:
    return rounds < MOST_ROUNDS and seconds < (budget_s if rounds >= LEAST_ROUNDS else PATIENCE * budget_s)


def _shares(products: Sequence[Product]) -> list[float]:
    """How often each product comes for one block of the deepest tower."""
    deepest = max(each.blocks for each in products)
    return [each.blocks / deepest for each in products]


def _layer(shape: Product, product: Multiply) -> Callable[[bool], None]:
    """Forward and backward of a layer, by either library."""
    x, weight = torch.full((shape.rows, shape.inputs), 0.5), torch.full((shape.outputs, shape.inputs), 0.01)
    bias, gradient = torch.full((shape.outputs,), 0.1), torch.full((shape.rows, shape.outputs), 0.5)

    def run(onednn: bool) -> None:
        product(x, weight, bias, onednn=onednn)
        product(gradient, weight.t(), None, onednn=onednn)

    return run
