"""Visual prompt tuning beside fixed texts."""

from __future__ import annotations

import pytest
import torch

from dapt.errors import ConfigError, NotSupportedError
from dapt.methods.vpt import VptOptions
from dapt.prompts.visual import VisualPrompts
from helpers import tiny_clip


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


def build(clip, **options):
    return VisualPrompts(VptOptions(**options), clip, ["cat"], torch.Generator().manual_seed(0))


def test_visual_prompts_and_nothing_else(clip) -> None:
    made = build(clip, n_ctx=4, depth=3)
    prompts = made()
    assert prompts.visual_ctx is made.visual_ctx
    assert [tuple(part.shape) for part in (prompts.visual_ctx, *prompts.visual_deep)] == [(4, 32)] * 3
    assert (prompts.text_ctx, prompts.text_deep) == (None, ())
    assert made.count() == 3 * 4 * 32
    assert made.trains_visual
    assert not made.trains_text
    assert build(clip, n_ctx=4, depth=1)().visual_deep == ()


def test_texts_are_those_of_zero_shot(clip) -> None:
    (tokens,) = build(clip, depth=1, templates=["a {}"]).texts(["flag_pole"])
    assert torch.equal(tokens.ids, clip.tokenizer.plain(["a flag pole"]).ids)


def test_what_does_not_fit(clip) -> None:
    with pytest.raises(ConfigError, match="4 is more than the 3 layers of the image tower"):
        build(clip, depth=4)
    with pytest.raises(ConfigError, match="161 visual prompts beside 16 patches"):
        build(clip, depth=1, n_ctx=161)
    resnet = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    with pytest.raises(NotSupportedError, match="no place for visual prompts"):
        build(resnet, depth=1)
