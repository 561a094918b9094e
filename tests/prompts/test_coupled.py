"""MaPLe: the visual prompts are linear maps of the text prompts."""

from __future__ import annotations

import pytest
import torch

from dapt.errors import ConfigError
from dapt.methods.maple import MapleOptions
from dapt.prompts.coupled import CoupledPrompts
from helpers import tiny_clip


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


def build(clip, **options):
    return CoupledPrompts(MapleOptions(**options), clip, ["cat", "dog"], torch.Generator().manual_seed(0))


def test_visual_prompts_are_mapped_from_the_text_prompts(clip) -> None:
    made = build(clip, depth=3, n_ctx=2)
    prompts = made()
    assert prompts.text_ctx is made.ctx
    assert torch.allclose(prompts.visual_ctx, made.ctx @ made.proj.weight.t() + made.proj.bias)
    assert len(prompts.text_deep) == len(prompts.visual_deep) == 2
    for block, (text, visual) in enumerate(zip(prompts.text_deep, prompts.visual_deep, strict=True), start=1):
        layer = made.deep_proj[str(block)]
        assert text is made.deep_text[str(block)]
        assert torch.allclose(visual, text @ layer.weight.t() + layer.bias)
    assert made.count() == 3 * 2 * 24 + 3 * (24 * 32 + 32)


def test_deep_maps_start_alike_and_are_trained_apart(clip) -> None:
    made = build(clip, depth=3)
    one, two = made.deep_proj["1"], made.deep_proj["2"]
    assert torch.equal(one.weight, two.weight)
    assert one.weight is not two.weight
    made().visual_deep[0].sum().backward()
    assert one.weight.grad is not None
    assert two.weight.grad is None
    assert made.deep_text["1"].grad is not None


def test_shallow_prompts(clip) -> None:
    made = build(clip, depth=1)
    assert made().text_deep == made().visual_deep == ()
    assert not made.trains_deep_text
    assert build(clip, depth=2).trains_deep_text


def test_depth_is_that_of_the_shallower_tower(clip) -> None:
    with pytest.raises(ConfigError, match="more than the 3 layers of the shallower tower"):
        build(clip, depth=4)
