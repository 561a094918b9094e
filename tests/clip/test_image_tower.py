"""The image towers against open_clip's blocks, called one by one, and the choice between the kinds of tower."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from dapt.clip.image_tower import (
    HookedImageTower,
    NativeImageTower,
    PromptFreeImageTower,
    make_image_tower,
    replace_last,
)
from dapt.clip.prompts import Prompts
from dapt.errors import NotSupportedError
from helpers import tiny_model

WITHOUT_VIT = {"vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16}}


def by_hand(visual, pixels, context, deep):
    x = visual._embeds(pixels)
    x = torch.cat([x, visual.ln_pre(context).expand(len(x), -1, -1)], dim=1)
    for index, block in enumerate(visual.transformer.resblocks):
        if 1 <= index <= len(deep):
            x[:, -len(deep[index - 1]) :] = deep[index - 1]
        x = block(x)
    return visual.ln_post(x[:, 0]) @ visual.proj


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", [NativeImageTower, HookedImageTower])
def test_prompts_in_place(pixels, layers, kind):
    torch.manual_seed(0)
    context, deep = torch.randn(2, 32), tuple(torch.randn(2, 32) for _ in range(layers - 1))
    visual = tiny_model().eval().requires_grad_(False).visual
    expected = by_hand(visual, pixels, context, deep)
    ours = kind(visual).encode(pixels, Prompts(visual_ctx=context, visual_deep=deep))
    assert torch.allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("kind", [NativeImageTower, HookedImageTower])
def test_what_a_tower_says_of_itself(pixels, kind):
    visual = tiny_model().visual
    tower = kind(visual)
    assert (tower.width, tower.layers, tower.grid, tower.image_size) == (32, 3, (4, 4), (32, 32))
    assert tower.has_class_token
    assert tower.last_norm() is visual.transformer.resblocks[2].ln_1
    assert tower.last_attention() is visual.transformer.resblocks[2].attn
    too_deep = Prompts(visual_ctx=torch.zeros(1, 32), visual_deep=(torch.zeros(1, 32),) * 3)
    with pytest.raises(NotSupportedError, match="4 visual prompt layers do not fit a tower of 3 blocks"):
        tower.encode(pixels, too_deep)


def test_average_pooling_reads_the_patches_alone(pixels):
    visual = tiny_model().eval().requires_grad_(False).visual
    visual.pool_type = "avg"
    tower = NativeImageTower(visual)
    assert not tower.reads_class_token
    assert torch.allclose(tower.encode(pixels), visual(pixels), atol=1e-6)
    context = torch.randn(2, 32)
    x = torch.cat([visual._embeds(pixels), visual.ln_pre(context).expand(3, -1, -1)], dim=1)
    for block in visual.transformer.resblocks:
        x = block(x)
    expected = visual.ln_post(x[:, :-2])[:, 1:].mean(dim=1) @ visual.proj
    assert torch.allclose(tower.encode(pixels, Prompts(visual_ctx=context)), expected, atol=1e-5)


def test_towers_without_places_for_prompts():
    visual = tiny_model(**WITHOUT_VIT).eval().requires_grad_(False).visual
    tower = make_image_tower(visual)
    assert isinstance(tower, PromptFreeImageTower)
    assert (tower.width, tower.layers, tower.image_size, tower.has_class_token) == (0, 0, (64, 64), False)
    pixels = torch.randn(2, 3, 64, 64)
    assert torch.equal(tower.encode(pixels, Prompts(text_ctx=torch.zeros(1, 8))), visual(pixels))
    with pytest.raises(NotSupportedError, match="ModifiedResNet is not a vision transformer"):
        tower.encode(pixels, Prompts(visual_ctx=torch.zeros(1, 32)))
    with pytest.raises(NotSupportedError, match="no transformer blocks to look at"):
        tower.last_norm()
    with pytest.raises(NotSupportedError, match="no attention map"):
        tower.last_attention()


class Trunk(nn.Module):
    """The parts of a timm ViT, by name."""

    def __init__(self, **parts: object) -> None:
        super().__init__()
        for name in ("norm_pre", "norm"):
            setattr(self, name, nn.Identity())
        self.blocks = nn.ModuleList([nn.Linear(2, 2)])
        self.patch_embed, self.num_prefix_tokens, self.embed_dim = SimpleNamespace(grid_size=(2, 3)), 0, 2
        for name, part in parts.items():
            setattr(self, name, part)


def test_the_kind_of_tower_that_fits():
    def tower(**parts: object):
        visual = nn.Module()
        visual.trunk, visual.image_size = Trunk(**parts), 16
        return make_image_tower(visual)

    assert isinstance(make_image_tower(tiny_model().visual), NativeImageTower)
    plain = tower()
    assert isinstance(plain, HookedImageTower)
    assert (plain.grid, plain.image_size, plain.first_patch, plain.has_class_token) == ((2, 3), (16, 16), 0, False)
    rotary = tower(rope=object())
    assert isinstance(rotary, PromptFreeImageTower)
    assert "timm's Trunk rotates tokens by position" in rotary.reason
    visual = tiny_model().visual
    visual.transformer.batch_first = False
    assert "length-first" in make_image_tower(visual).reason


def test_the_last_tokens_are_replaced():
    x = torch.arange(8.0).view(2, 4, 1)
    replaced = replace_last(x, torch.tensor([[-1.0], [-2.0]], dtype=torch.float64))
    assert replaced.squeeze(-1).tolist() == [[0, 1, -1, -2], [4, 5, -1, -2]]
    assert replaced.dtype == torch.float32
    assert torch.equal(replace_last(x, torch.zeros(0, 1)), x)
