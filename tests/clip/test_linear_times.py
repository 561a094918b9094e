"""Times of both libraries: by a clock that is not this machine's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dapt.clip.frozen import FrozenClip
from dapt.clip.image_tower import NativeImageTower
from dapt.clip.linear_times import (
    BATCH,
    MOST_ROUNDS,
    TEXT_TOKENS,
    Product,
    block_products,
    fewer_rows,
    measure,
)

ONE = (Product(4, 2, 3, 12),)


class Machine:
    """A clock, and products that take as long as is said of the n-th by a library."""

    def __init__(self, seconds: Callable[[bool, int, torch.Tensor], float]) -> None:
        self.now = 0.0
        self.done: list[bool] = []
        self._seconds = seconds

    def clock(self) -> float:
        return self.now

    def product(self, x: torch.Tensor, weight: torch.Tensor, bias: Any, *, onednn: bool) -> None:
        self.now += self._seconds(onednn, self.done.count(onednn), x)
        self.done.append(onednn)

    def measure(self, products: tuple[Product, ...], budget_s: float = 0.4) -> tuple[float, float]:
        found = measure(products, budget_s=budget_s, clock=self.clock, wall=self.clock, product=self.product)
        return found.onednn_ms, found.plain_ms


def test_forward_and_backward_of_both() -> None:
    found = Machine(lambda onednn, count, x: 0.003 if onednn else 0.004).measure(ONE)
    assert found == pytest.approx((6, 8))


def test_in_turn_and_the_first_takes_turns_too() -> None:
    machine = Machine(lambda onednn, count, x: 0.01)
    machine.measure(ONE)
    order = machine.done[::2]  # each is forward and backward
    assert order[:8] == [True, False, False, True, True, False, False, True]


def test_what_else_runs_now_and_then_does_not_decide() -> None:
    """One in eight products by oneDNN takes a hundred times as long: the mean would choose the other."""
    machine = Machine(lambda onednn, count, x: (0.002 if count % 8 else 0.2) if onednn else 0.003)
    assert machine.measure(ONE, budget_s=3) == pytest.approx((4, 6))


def test_a_slow_machine_is_asked_no_longer() -> None:
    slow = Machine(lambda onednn, count, x: 0.1)  # 0.4 s a round
    slow.measure(ONE)
    assert len(slow.done) == 4 + 3 * 4, "three rounds after the warm-up"
    slower = Machine(lambda onednn, count, x: 10.0)
    slower.measure(ONE)
    assert len(slower.done) == 4 + 4
    quick = Machine(lambda onednn, count, x: 1e-6)
    quick.measure(ONE)
    assert len(quick.done) == 4 + 4 * MOST_ROUNDS


def test_time_that_others_take_does_not_count() -> None:
    """The budget is of the wall clock all the same."""
    machine = Machine(lambda onednn, count, x: 0.003 if onednn else 0.002)
    found = measure(ONE, clock=machine.clock, wall=lambda: 7 * machine.now, product=machine.product)
    assert (found.onednn_ms, found.plain_ms) == pytest.approx((6, 4))
    assert len(machine.done) == 4 + 4 * 6, "70 ms a round"


def test_products_count_by_the_blocks_that_have_them() -> None:
    machine = Machine(lambda onednn, count, x: 0.001 * x.shape[0])
    assert machine.measure((Product(8, 5, 5, 12), Product(4, 5, 5, 6))) == pytest.approx((16 + 4, 16 + 4))


def test_as_many_tokens_as_there_is_time_for() -> None:
    large = (Product(1000, 1000, 1000, 1), Product(500, 1000, 1000, 1))  # 12 GFLOP a round of both
    assert [each.rows for each in fewer_rows(large, 1)] == [333, 167]
    assert fewer_rows(large, 3) == fewer_rows(large, 64) == large
    assert fewer_rows((), 1) == ()


def test_of_both_towers(clip: FrozenClip) -> None:
    found = clip.savings.products
    assert isinstance(clip.image, NativeImageTower)
    towers = ((clip.image, BATCH * (1 + clip.image.grid[0] * clip.image.grid[1])), (clip.text, TEXT_TOKENS))
    expected = []
    for tower, rows in towers:
        wide = tower.blocks[0].mlp[0].out_features
        for inputs, outputs in ((1, 3), (1, 1), (1, wide / tower.width), (wide / tower.width, 1)):
            expected.append(Product(rows, int(inputs * tower.width), int(outputs * tower.width), tower.layers))
    assert list(found) == expected
    assert block_products([], 7) == ()


def test_nothing_around_it_takes_part() -> None:
    """Operations are not counted, random numbers not drawn, and fake tensors stay outside."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        times = measure(ONE, budget_s=0.0)
    assert counter.get_total_flops() == 0
    assert torch.equal(torch.get_rng_state(), before)
    assert times.onednn_ms > 0 < times.plain_ms
