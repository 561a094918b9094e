"""The functions that make models and their losses: what they accept beyond what `create_model` itself is tested for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import dapt
from dapt.api.models import create_model, create_objectives, load_model, read_dapt
from dapt.config import DaptOptions
from dapt.digests import content_digest
from dapt.errors import ConfigError, DaptError, NotSupportedError
from helpers import tiny_clip

NAMES = ["red square", "blue disc"]


def batch() -> dapt.Batch:
    masks = torch.zeros(2, 1, 32, 32)
    masks[..., 8:24, 8:24] = 1
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return dapt.Batch(pixels, torch.tensor([0, 1]), masks)


def test_dapt_is_a_switch_or_options() -> None:
    assert read_dapt(False) == DaptOptions()
    assert read_dapt(True) == DaptOptions(enabled=True)
    assert read_dapt({"margin": 0.5}) == DaptOptions(enabled=True, margin=0.5)
    assert not read_dapt({"enabled": False, "margin": 0.5}).enabled
    for wrong, message in ((1, "True, False or a mapping"), ("yes", "not 'yes'"), ({"margn": 1}, r"dapt\.margn")):
        with pytest.raises(ConfigError, match=message):
            read_dapt(wrong)


def test_the_seed_decides_the_prompts() -> None:
    one, same, other = (create_model(tiny_clip(), "coop", NAMES, n_ctx=2, seed=seed) for seed in (1, 1, 2))
    digests = [content_digest(model.prompts.state_dict()) for model in (one, same, other)]
    assert digests[0] == digests[1] != digests[2]


def test_a_variant_brings_its_settings_and_the_caller_overrides_them() -> None:
    assert create_model(tiny_clip(), "coop.csc", NAMES).prompts.options.model_dump() != (
        create_model(tiny_clip(), "coop", NAMES).prompts.options.model_dump()
    )
    assert create_model(tiny_clip(), "coop.csc", NAMES, n_ctx=3).prompts.options.n_ctx == 3


def test_objectives_become_the_loss() -> None:
    model = create_model(tiny_clip(), "maple", NAMES, depth=2, dapt=True)
    names = [type(part).__name__ for part in create_objectives(model)]
    assert names == ["Classification", "Disentangle"]
    assert set(model.loss(batch())[1]) > {"L_cls"}
    create_objectives(model, dapt=False)
    assert set(model.loss(batch())[1]) == {"L_cls"}


def test_terms_that_do_not_fit_the_model() -> None:
    model = create_model(tiny_clip(), "maple", NAMES, depth=2)
    for asked, error, message in (
        ({"dapt": True}, ConfigError, "made without DAPT, so it has no background texts"),
        ({"method": "promptsrc"}, ConfigError, "read options that maple has not"),
        ({"method": "mapel"}, ConfigError, "There is no method 'mapel'"),
    ):
        with pytest.raises(error, match=message):
            create_objectives(model, **asked)
    with pytest.raises(NotSupportedError, match="no training steps"):
        create_model(tiny_clip(), "zero_shot", NAMES, dapt=True)


def test_what_is_loaded_has_the_loss_it_was_made_with(tmp_path: Path) -> None:
    made = create_model(tiny_clip(), "maple", NAMES, depth=2, dapt={"margin": 0.5})
    again = load_model(made.save_pretrained(tmp_path / "m"), model=tiny_clip()).train()
    one, two = made.loss(batch()), again.loss(batch())
    assert float(one[0].detach()) == pytest.approx(float(two[0].detach()), rel=1e-5)
    assert set(one[1]) == set(two[1])
    with pytest.raises(DaptError):
        load_model(tmp_path / "absent")
