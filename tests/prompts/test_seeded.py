"""Starting values come from the run's own seed; the states of other devices are nobody's business."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dapt.clip.frozen import FrozenClip
from dapt.clip.random_model import random_clip
from dapt.config import make_config
from dapt.model.build import build_model
from dapt.objectives.build import build_objectives
from dapt.prompts.base import seeded
from helpers import tiny_clip


@pytest.fixture(scope="module")
def clip() -> FrozenClip:
    return tiny_clip()


@pytest.fixture
def no_gpu_is_seeded(clip: FrozenClip, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(seed: int) -> None:
        raise AssertionError("the generators of the GPUs were seeded")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", refuse)


@pytest.mark.usefixtures("no_gpu_is_seeded")
def test_the_draws_are_those_of_the_seed_and_leave_no_trace() -> None:
    seed = int(torch.randint(2**31, (1,), generator=torch.Generator().manual_seed(7)))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        expected = nn.Linear(3, 2)
    before = torch.get_rng_state()
    with seeded(torch.Generator().manual_seed(7)):
        found = nn.Linear(3, 2)
    assert torch.equal(found.weight, expected.weight)
    assert torch.equal(found.bias, expected.bias)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.usefixtures("no_gpu_is_seeded")
@pytest.mark.parametrize(("method", "prompt"), [("maple", {"depth": 2}), ("cocoop", {}), ("clip_lora", {})])
def test_building_seeds_no_gpu(clip: FrozenClip, method: str, prompt: dict[str, int]) -> None:
    config = make_config({"data": "-", "method": method, "prompt": prompt, "dapt": {"gate": True}})
    build_objectives(config, build_model(config, clip, ["cat", "dog"]))


@pytest.mark.usefixtures("no_gpu_is_seeded")
def test_random_models_seed_no_gpu() -> None:
    before = torch.get_rng_state()
    random_clip("ViT-S-32-alt")
    assert torch.equal(torch.get_rng_state(), before)
