"""Models from configurations: the same for the same seed, with the memory and texts that were asked for."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.frozen import FrozenClip
from dapt.config import make_config
from dapt.digests import content_digest
from dapt.errors import ConfigError
from dapt.model.build import build_model, text_memory_mb
from dapt.model.prompted_clip import PromptedClip
from helpers import tiny_clip

NAMES = ["red square", "blue disc"]


@pytest.fixture(scope="module")
def clip() -> FrozenClip:
    return tiny_clip()


def built(clip: FrozenClip, **settings: object) -> PromptedClip:
    return build_model(make_config({"data": "-", "method": "maple", "depth": 2, **settings}), clip, NAMES)


def test_equal_seeds_give_equal_prompts_whatever_was_drawn_before(clip: FrozenClip) -> None:
    one = content_digest(built(clip, seed=3).prompts.state_dict())
    torch.manual_seed(99)
    torch.rand(5)
    assert content_digest(built(clip, seed=3).prompts.state_dict()) == one
    assert content_digest(built(clip, seed=4).prompts.state_dict()) != one


def test_it_is_what_the_configuration_says(clip: FrozenClip) -> None:
    model = built(clip, n_ctx=3, dapt={"word_count": 4})
    assert model.prompts.options.n_ctx == 3
    assert model.names == NAMES
    assert model.made_with.method == "maple"
    background = model.text_features(model.prompts.at_rest(), "background")
    assert background.shape == (4, clip.embed_dim)
    assert not built(clip).made_with.dapt.enabled


def test_memory_of_the_text_tower(clip: FrozenClip) -> None:
    config = make_config({"data": "-", "text_memory_mb": 7, "devices": 2, "batch_size": 4})
    assert text_memory_mb(config, "cpu") == 7
    built(clip, text_memory_mb=9)
    assert clip.text.memory_mb == 9
    alone, shared = (
        text_memory_mb(make_config({"data": "-", "devices": devices, "batch_size": 4}), "cpu") for devices in (1, 4)
    )
    assert shared == pytest.approx(alone / 4, rel=0.2), "processes on one processor share its memory"


def test_prompts_that_would_overwrite_the_background_texts(clip: FrozenClip) -> None:
    # "{}" with one word is a text of one token and its end
    with pytest.raises(ConfigError, match="deep text prompts would overwrite its end"):
        built(clip, n_ctx=4, dapt={"template": "{}", "words": ["sky"]})
    built(clip, n_ctx=4, depth=1, dapt={"template": "{}", "words": ["sky"]})  # nothing deep is written there


@pytest.mark.parametrize("depth", [5, 99])
def test_options_that_do_not_fit_the_backbone(clip: FrozenClip, depth: int) -> None:
    with pytest.raises(ConfigError, match="depth"):
        built(clip, depth=depth)
