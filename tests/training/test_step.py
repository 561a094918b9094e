"""One training step: the loss is the weighted sum of its terms, and two of a kind are told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

import dapt
from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.errors import ConfigError
from dapt.model.needs import Needs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term
from dapt.objectives.build import build_objectives
from dapt.objectives.gradients import ProjectAway
from dapt.training.step import TrainStep
from helpers import tiny_clip


class MeanLogit(Objective):
    """The mean class logit of the full view, times ten for every epoch that has passed."""

    def __init__(self, name: str, weight: float, **has: object) -> None:
        self.name, self.weight = name, weight
        self.__dict__.update(has)

    def needs(self, epoch, epochs):
        return Needs({"full": True}, {"classes": True}) if epoch == 0 else Needs({"full": False}, {"classes": False})

    def terms(self, outputs, batch, epoch, epochs):
        return {self.name: Term(outputs.logits("full").mean() * 10**epoch, self.weight)}

    def epoch_weights(self, epochs):
        return self.__dict__.get("weights")


@pytest.fixture(scope="module")
def model() -> PromptedClip:
    return dapt.create_model(tiny_clip(), "coop", ["cat", "dog"], n_ctx=2)


@pytest.fixture
def batch() -> Batch:
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return Batch(pixels, torch.tensor([0, 1]))


def test_the_loss_is_the_weighted_sum(model: PromptedClip, batch: Batch) -> None:
    step = TrainStep(model, [MeanLogit("a", 2.0), MeanLogit("b", 0.5)])
    mean = float(model.eval()(batch.pixels).mean())
    loss, terms, outputs = step(batch, 0, 2)
    assert {name: float(term.value.detach()) for name, term in terms.items()} == pytest.approx({"a": mean, "b": mean})
    assert float(loss.detach()) == pytest.approx(2.5 * mean, rel=1e-4)
    assert float(step(batch, 1, 2)[0].detach()) == pytest.approx(25 * mean, rel=1e-4)
    assert set(outputs.image) == {"full"}
    loss.backward()
    assert all(part.grad is not None for part in model.prompts.parameters())


def test_needs_are_those_of_all_objectives_in_that_epoch(model: PromptedClip) -> None:
    step = TrainStep(model, [MeanLogit("a", 1.0)])
    assert step.needs(0, 2) == Needs({"full": True}, {"classes": True})
    assert step.needs(1, 2) == Needs({"full": False}, {"classes": False})
    assert TrainStep(model, []).needs(0, 2) == Needs()


def test_what_is_trained_beside_the_prompts(model: PromptedClip) -> None:
    step = TrainStep(model, [MeanLogit("a", 1.0, helper=nn.Linear(3, 1)), MeanLogit("b", 1.0)])
    own = {name.partition(".")[0] for name, _ in step.named_parameters()}
    assert own == {"model", "helpers"}
    assert sum(part.numel() for part in step.helpers.parameters()) == 4


def test_one_average_and_one_rule_at_most(model: PromptedClip, batch: Batch) -> None:
    plain, weighted = MeanLogit("a", 1.0), MeanLogit("b", 1.0, weights=(0.25, 0.75))
    assert TrainStep(model, [plain]).epoch_weights(2) is None
    assert TrainStep(model, [plain, weighted]).epoch_weights(2) == (0.25, 0.75)
    with pytest.raises(ConfigError, match="bring an average over epochs: MeanLogit and MeanLogit"):
        TrainStep(model, [weighted, weighted]).epoch_weights(2)
    rule = ProjectAway("general")
    assert TrainStep(model, [plain, MeanLogit("c", 1.0, gradient_rule=rule)]).gradient_rule is rule
    with pytest.raises(ConfigError, match="bring a gradient rule"):
        TrainStep(model, [MeanLogit("c", 1.0, gradient_rule=rule), MeanLogit("d", 1.0, gradient_rule=rule)])
    with pytest.raises(ConfigError, match="bring a loss term 'a'"):
        TrainStep(model, [plain, MeanLogit("a", 1.0)])(batch, 0, 1)


def test_of_a_method_it_is_cross_entropy(model: PromptedClip, batch: Batch) -> None:
    config = make_config({"data": "-", "method": "coop"})
    loss, terms, _ = TrainStep(model, build_objectives(config, model))(batch, 0, 1)
    logits = model.eval()(batch.pixels)
    by_hand = -sum(float(logits[row].log_softmax(dim=0)[label]) for row, label in enumerate((0, 1))) / 2
    assert list(terms) == ["L_cls"]
    assert float(loss.detach()) == pytest.approx(by_hand, rel=1e-4)


def test_what_objectives_train_goes_where_the_model_is() -> None:
    helper = torch.nn.Linear(1, 1)
    model = SimpleNamespace(clip=SimpleNamespace(device=torch.device("meta")))  # stands for a GPU
    step = TrainStep(model, [SimpleNamespace(helper=helper, gradient_rule=None)])
    assert [value.device.type for value in step.parameters()] == ["meta", "meta"]
