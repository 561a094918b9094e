"""Objectives of which one would silently do nothing beside another are refused, and both are named."""

from __future__ import annotations

import pytest
import torch

from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.errors import ConfigError
from dapt.model.build import build_model
from dapt.model.needs import CLASSES, FULL, Needs, Outputs
from dapt.objectives.base import Objective, Term
from dapt.objectives.classification import Classification
from dapt.objectives.gradients import ProjectAway
from dapt.training.step import TrainStep
from helpers import tiny_clip

BATCH = Batch(torch.zeros(2, 3, 32, 32), torch.tensor([0, 1]))


class Own(Objective):
    """A term of any name."""

    def __init__(self, name: str = "L_own") -> None:
        self.name = name

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs({FULL: True}, {CLASSES: True})

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        return {self.name: Term(outputs.logits(FULL).mean(), 2.0)}


class Ruled(Own):
    """Brings a gradient rule."""

    gradient_rule = ProjectAway("general")


class Averaged(Own):
    """Asks for an average over epochs."""

    def epoch_weights(self, epochs: int) -> list[float]:
        return [1 / epochs] * epochs


@pytest.fixture(scope="module")
def model():
    return build_model(make_config({"data": "-", "method": "coop"}), tiny_clip(), ["cat", "dog"])


def test_two_terms_of_one_name(model) -> None:
    step = TrainStep(model, [Classification(), Own("L_cls")])
    with pytest.raises(ConfigError, match="a loss term 'L_cls': Classification and Own"):
        step(BATCH, 0, 1)
    loss, terms, _ = TrainStep(model, [Classification(), Own("L_own")])(BATCH, 0, 1)
    assert torch.equal(loss, terms["L_cls"].value + 2 * terms["L_own"].value)


def test_two_gradient_rules(model) -> None:
    with pytest.raises(ConfigError, match="a gradient rule: Ruled and Ruled"):
        TrainStep(model, [Classification(), Ruled("L_a"), Ruled("L_b")])
    assert TrainStep(model, [Classification(), Ruled()]).gradient_rule is Ruled.gradient_rule
    assert TrainStep(model, [Classification()]).gradient_rule is None


def test_two_averages_over_epochs(model) -> None:
    step = TrainStep(model, [Averaged("L_a"), Classification(), Averaged("L_b")])
    with pytest.raises(ConfigError, match="an average over epochs: Averaged and Averaged"):
        step.epoch_weights(4)
    assert TrainStep(model, [Classification(), Averaged()]).epoch_weights(4) == [0.25] * 4
    assert TrainStep(model, [Classification()]).epoch_weights(4) is None
