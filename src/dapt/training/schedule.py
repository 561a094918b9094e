"""Learning rates in closed form: the field's cosine, epoch by epoch, and one cycle, step by step."""

from __future__ import annotations

import math

from dapt.config import RunConfig

RISE = 0.3  # of the steps of one cycle; these are torch's own figures
FIRST_DIVISOR, LAST_DIVISOR = 25.0, 1e4


def learning_rate(epoch: int, *, base_lr: float, epochs: int, warmup_epochs: int = 1, warmup_lr: float = 1e-5) -> float:
    """Learning rate of a 0-based epoch: constant warm-up, then a cosine that starts after it.

    Equal to Dassl's cosine schedule with constant warm-up and recount, used by CoOp and everything built on
    it: the cosine spans `epochs`, so it has not come to its end when training stops.

    Args:
        epoch: 0-based epoch. base_lr: rate at the start of the cosine. epochs: length of the run.
        warmup_epochs: epochs at `warmup_lr` before the cosine.
    """
    if epoch < warmup_epochs:
        return warmup_lr
    return base_lr * 0.5 * (1.0 + math.cos(math.pi * (epoch - warmup_epochs) / epochs))


def one_cycle_rate(step: int, *, base_lr: float, steps: int) -> float:
    """Learning rate of a 0-based step of one cycle (Smith and Topin 2018, arXiv 1708.07120).

    Equal to `torch.optim.lr_scheduler.OneCycleLR`: half a cosine from a 25th of `base_lr` up to it, then one down to
    1/250,000 of it. Momentum does not take part.

    Args:
        base_lr: the highest rate. steps: of the whole training.
    """
    first = base_lr / FIRST_DIVISOR
    last, top = first / LAST_DIVISOR, RISE * steps - 1
    if step <= top:
        return _half_cosine(first, base_lr, step / top if top else 1.0)
    return _half_cosine(base_lr, last, (step - top) / (steps - 1 - top))


def step_rate(config: RunConfig, epoch: int, number: int, batches: int) -> float:
    """Learning rate of a step of a run.

    Args:
        epoch: 0-based. number: of the step in its epoch, 0-based. batches: steps of an epoch.
    """
    if config.schedule == "one_cycle":
        return one_cycle_rate(epoch * batches + number, base_lr=config.scaled_lr, steps=config.epochs * batches)
    return learning_rate(
        epoch,
        base_lr=config.scaled_lr,
        epochs=config.epochs,
        warmup_epochs=config.warmup_epochs,
        warmup_lr=config.warmup_lr,
    )


def _half_cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2.0 * (1.0 + math.cos(math.pi * part))
