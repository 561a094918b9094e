"""CLIP-Adapter: a bottleneck behind the image tower that belongs to no class."""

from __future__ import annotations

import pytest
import torch

import dapt
from dapt.methods.clip_adapter import ClipAdapterOptions
from dapt.prompts.feature_adapter import FeatureAdapterPrompts
from helpers import tiny_clip

NAMES = ["cat", "dog", "cow"]


def build(seed: int = 0, **options: object) -> FeatureAdapterPrompts:
    generator = torch.Generator().manual_seed(seed)
    return FeatureAdapterPrompts(ClipAdapterOptions(**options), tiny_clip(), NAMES, generator)


def test_two_matrices_are_trained_and_the_seed_decides_their_start() -> None:
    made = build()
    width = tiny_clip().embed_dim
    shapes = {name: tuple(parameter.shape) for name, parameter in made.named_parameters()}
    assert shapes == {"down.weight": (width // 4, width), "up.weight": (width, width // 4)}
    assert torch.equal(made.down.weight, build().down.weight)
    assert not torch.equal(made.down.weight, build(1).down.weight)
    assert (made.trains_visual, made.trains_text, made.fixed_classes, made.saved_views) == (True, False, False, 10)
    assert build(reduction=1024).down.weight.shape == (1, width)


def test_the_mixture_by_hand() -> None:
    made = build(ratio=0.3)
    raw = torch.randn(5, tiny_clip().embed_dim, generator=torch.Generator().manual_seed(2))
    hidden = torch.clamp(raw @ made.down.weight.t(), min=0)
    expected = 0.3 * torch.clamp(hidden @ made.up.weight.t(), min=0) + 0.7 * raw
    assert torch.allclose(made.map_image(raw), expected, atol=1e-6)


@pytest.mark.parametrize("names", [NAMES, ["bird", "fish"]])
def test_without_a_share_it_is_zero_shot_for_any_classes(names: list[str]) -> None:
    clip = tiny_clip()
    pixels = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    model = dapt.create_model(clip, "clip_adapter", NAMES, ratio=0.0).eval()
    model.set_classes(names)
    zero_shot = dapt.create_model(clip, "zero_shot", names).eval()
    assert torch.allclose(model(pixels), zero_shot(pixels), atol=1e-4)
