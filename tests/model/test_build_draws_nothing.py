"""Building a model is no training step: nothing is drawn and nothing is counted, with DAPT or without."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.prompts import Prompts
from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.methods.base import METHODS
from dapt.model.build import build_model
from dapt.model.needs import CLASSES, FULL, Needs
from dapt.objectives.build import build_objectives
from dapt.prompts.base import PromptArchitecture
from helpers import tiny_clip

NAMES = ["cat", "dog", "bird"]
METHODS_WITH_DROPOUT = [name for name in METHODS.names() if "dropout" in METHODS.get(name).options.model_fields]


def built(method: str, *, dapt: bool):
    config = make_config({"data": "-", "method": method, "dapt": {"enabled": dapt}, "prompt": {"dropout": 0.5}})
    model = build_model(config, tiny_clip(), NAMES)
    build_objectives(config, model)
    return model


def dropped(model) -> list[torch.Tensor]:
    """What the image features of the first three training steps are, in which dropout shows."""
    with torch.no_grad():
        for name, parameter in model.prompts.named_parameters():
            if name.endswith(".b"):
                parameter.fill_(0.3)
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    batch, needs = Batch(pixels, torch.tensor([0, 1])), Needs({FULL: True}, {CLASSES: True})
    model.train()
    return [model.compute(batch, needs).logits(FULL).detach() for _ in range(3)]


@pytest.mark.parametrize("method", METHODS_WITH_DROPOUT)
def test_the_first_steps_drop_the_same_with_and_without_dapt(method: str) -> None:
    with_dapt, alone = (dropped(built(method, dapt=dapt)) for dapt in (True, False))
    assert all(torch.equal(a, b) for a, b in zip(with_dapt, alone, strict=True))
    assert not torch.equal(alone[0], alone[1])


@pytest.mark.parametrize("dapt", [False, True])
@pytest.mark.parametrize("method", ["clip_lora", "maple", "cocoop"])
def test_building_leaves_every_state_as_it_was(method: str, dapt: bool) -> None:
    clip = tiny_clip()
    prompt = {"depth": 2} if method == "maple" else {}
    config = make_config({"data": "-", "method": method, "dapt": {"enabled": dapt}, "prompt": prompt})
    before = torch.get_rng_state()
    model = build_model(config, clip, NAMES)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.prompts.training
    assert all(not int(value) for name, value in model.prompts.named_buffers() if name.endswith("steps"))


class Counting(PromptArchitecture):
    """Counts its calls in training mode."""

    steps = 0

    def forward(self) -> Prompts:
        self.steps += self.training
        return Prompts()

    def texts(self, names):
        return []


@pytest.mark.parametrize("training", [True, False])
def test_at_rest_no_step_is_taken_and_the_mode_stays(training: bool) -> None:
    prompts = Counting(None, tiny_clip(), NAMES, torch.Generator()).train(training)
    prompts.at_rest()
    assert not prompts.steps
    assert prompts.training is training
