"""The learning rate against PyTorch's own cosine; other cases stand in test_rates_and_rules.py."""

from __future__ import annotations

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from dapt.training.schedule import learning_rate


@pytest.mark.parametrize(("epochs", "warmup"), [(10, 1), (5, 2), (7, 0), (50, 1)])
def test_a_cosine_of_torch_that_begins_after_the_warm_up(epochs: int, warmup: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.002)
    cosine = CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        found = learning_rate(epoch, base_lr=0.002, epochs=epochs, warmup_epochs=warmup, warmup_lr=3e-5)
        if epoch < warmup:
            assert found == 3e-5
            continue
        assert found == pytest.approx(cosine.get_last_lr()[0], rel=1e-6)
        optimizer.step()
        cosine.step()


def test_rates_fall_and_stay_above_zero() -> None:
    rates = [learning_rate(epoch, base_lr=1.0, epochs=20) for epoch in range(1, 20)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] > 0


def test_half_way_through_the_cosine_it_is_half_the_rate() -> None:
    assert learning_rate(6, base_lr=0.8, epochs=10, warmup_epochs=1) == pytest.approx(0.4)
