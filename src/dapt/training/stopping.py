"""Ending a training before its last epoch: once the training images are right by a margin.

The margin of an image is the probability of its class minus the greatest of another, between -1 and 1, whatever the
logit scale. It is that of the step in which the image was seen, so of its random crop and of the prompts of that time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dapt.config import RunConfig
from dapt.errors import ConfigError
from dapt.training.step import TrainStep

BEYOND = "train/beyond_margin"  # percent of the images that an epoch saw
DECIMALS = 3  # of a percentage that are told: a sum of them in float32 has no more
ROUNDING = 10**-DECIMALS


@dataclass(frozen=True)
class Stopped:
    """Why a training ended early.

    Attributes:
        epoch: the last one, from 1. epochs: that there would have been. beyond: percent of the images of that epoch
            whose margin exceeded `margin`. share: of images that was enough.
    """

    epoch: int
    epochs: int
    beyond: float
    margin: float
    share: float

    @property
    def sentence(self) -> str:
        """When and why, in words."""
        return (
            f"Training ends after epoch {self.epoch} of {self.epochs}: {self.beyond:.1f}% of its images were right by "
            f"a margin of more than {self.margin:g} (stop_margin), {100 * self.share:g}% are enough (stop_share)."
        )


def check_stop(config: RunConfig, *, averaged: bool) -> None:
    """Refuse an early end where the result is an average over all epochs.

    Raises:
        ConfigError: saying so.
    """
    if config.stop_margin is not None and averaged:
        raise ConfigError(
            f"The result of {config.method} is a weighted average over all epochs, so stop_margin cannot end them.",
            todo="Leave stop_margin out, or choose an epoch with model_selection=best_val.",
        )


def why_stop(config: RunConfig, step: TrainStep, lines: Sequence[Mapping[str, Any]]) -> Stopped | None:
    """Whether a training ends after the epochs that it has: it follows from their figures alone, as after a resume.

    Not while the rate is that of the warm-up, nor before the terms of the loss are those of the last epoch: DAPT's
    phases and its warm-up are gone through.

    Args:
        lines: figures of the epochs so far.

    Raises:
        ConfigError: the training has no such figures.
    """
    epoch = len(lines) - 1
    if config.stop_margin is None or epoch < config.warmup_epochs or not lines:
        return None
    if step.stage(epoch, config.epochs) != step.stage(config.epochs - 1, config.epochs):
        return None
    if BEYOND not in lines[-1]:
        raise ConfigError(
            "Nothing in this training compares whole images with the classes, so no image has a margin.",
            todo="Leave stop_margin out.",
        )
    beyond = float(lines[-1][BEYOND])
    if beyond < 100 * config.stop_share - ROUNDING:
        return None
    return Stopped(epoch + 1, config.epochs, round(beyond, DECIMALS), config.stop_margin, config.stop_share)
