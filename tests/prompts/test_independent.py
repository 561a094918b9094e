"""IVLP: text and visual prompts that know nothing of each other."""

from __future__ import annotations

import pytest
import torch

from dapt.errors import ConfigError, NotSupportedError
from dapt.methods.ivlp import IvlpOptions
from dapt.prompts.independent import IndependentPrompts
from helpers import tiny_clip


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


def build(clip, **options):
    return IndependentPrompts(IvlpOptions(**options), clip, ["cat", "dog"], torch.Generator().manual_seed(0))


def shapes(parts):
    return [tuple(part.shape) for part in parts]


def test_each_tower_has_its_own_number_and_depth(clip) -> None:
    prompts = build(clip, n_ctx=2, n_ctx_vision=5, depth=4, depth_vision=2)()
    assert prompts.text_ctx.shape == (2, 24)
    assert shapes(prompts.text_deep) == [(2, 24)] * 3
    assert prompts.visual_ctx.shape == (5, 32)
    assert shapes(prompts.visual_deep) == [(5, 32)]


def test_the_visual_side_follows_the_text_side_by_default(clip) -> None:
    made = build(clip, n_ctx=3, depth=3)
    assert made().visual_ctx.shape == (3, 32)
    assert len(made().visual_deep) == 2
    assert made.trains_visual
    assert made.count() == 3 * 3 * (24 + 32)


def test_language_alone(clip) -> None:
    made = build(clip, depth=2, depth_vision=0)
    assert made().visual_ctx is None
    assert made().visual_deep == ()
    assert not made.trains_visual
    assert made.count() == 2 * 2 * 24
    resnet = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    assert build(resnet, depth=2, depth_vision=0).count() == 2 * 2 * 24
    with pytest.raises(NotSupportedError, match="no place for visual prompts"):
        build(resnet, depth=2)


def test_depth_and_number_that_do_not_fit(clip) -> None:
    with pytest.raises(ConfigError, match="5 is more than the 4 layers of the text tower"):
        build(clip, depth=5, depth_vision=1)
    with pytest.raises(ConfigError, match="4 is more than the 3 layers of the image tower"):
        build(clip, depth=4)
    with pytest.raises(ConfigError, match="161 visual prompts") as caught:
        build(clip, depth=2, n_ctx_vision=161)
    assert caught.value.where == "prompt.n_ctx_vision"
