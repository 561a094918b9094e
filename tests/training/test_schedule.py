"""The learning rate against PyTorch's own cosine and one cycle; other cases stand in test_rates_and_rules.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.training.schedule import learning_rate, one_cycle_rate, step_rate
from fitters import make_fitter


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


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 10, 40, 333])
def test_one_cycle_is_that_of_torch(steps: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    cycle = OneCycleLR(optimizer, max_lr=0.004, total_steps=steps, cycle_momentum=False)
    for step in range(steps):
        assert one_cycle_rate(step, base_lr=0.004, steps=steps) == pytest.approx(cycle.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        if step < steps - 1:
            cycle.step()


def config_of(**changes: Any) -> Any:
    return make_config({"data": "-", "method": "coop", "epochs": 4, "lr": 0.01, **changes})


def test_rates_of_a_run() -> None:
    cosine = [step_rate(config_of(), epoch, number, 3) for epoch in range(4) for number in range(3)]
    assert cosine == [rate for epoch in range(4) for rate in [learning_rate(epoch, base_lr=0.01, epochs=4)] * 3]
    cycle = [step_rate(config_of(schedule="one_cycle"), epoch, number, 3) for epoch in range(4) for number in range(3)]
    assert cycle == [one_cycle_rate(step, base_lr=0.01, steps=12) for step in range(12)]


def test_one_cycle_has_no_other_warm_up() -> None:
    found = config_of(schedule="one_cycle")
    assert found.warmup_epochs == 0
    assert make_config(found.model_dump(exclude_none=True)) == found  # a run.yaml can be run again
    with pytest.raises(ConfigError, match="warmup_epochs belongs to the cosine"):
        config_of(schedule="one_cycle", warmup_epochs=2)


def test_every_step_has_its_rate(photos: Path) -> None:
    fitter = make_fitter(photos, epochs=2, schedule="one_cycle")
    used: list[float] = []
    fitter.optimizer.register_step_pre_hook(lambda optimizer, *given: used.append(optimizer.param_groups[0]["lr"]))
    lines = fitter.fit().lines
    assert used == [one_cycle_rate(step, base_lr=0.05, steps=8) for step in range(8)]
    assert [line["lr"] for line in lines] == [used[3], used[7]]  # those of the last steps


def test_larger_batches_by_the_root() -> None:
    """CoOp's own are of 32 images."""
    assert config_of(batch_size=128).scaled_lr == 0.01
    assert config_of(batch_size=128, lr_rule="sqrt").scaled_lr == pytest.approx(0.02)
    assert config_of(batch_size=8, lr_rule="sqrt").scaled_lr == pytest.approx(0.005)
    assert config_of(lr_rule="sqrt").scaled_lr == 0.01
    found = config_of(batch_size=128, lr_rule="sqrt")
    assert found.lr == 0.01  # as it was given, so that run.yaml can be run again
    assert step_rate(found, 0, 0, 3) == 1e-5
    assert step_rate(found, 1, 0, 3) == pytest.approx(0.02)


def test_the_rule_reaches_the_steps(photos: Path) -> None:
    lines = make_fitter(photos, epochs=2, batch_size=16, lr_rule="sqrt").fit().lines
    assert [line["lr"] for line in lines] == [1e-5, 0.1]
