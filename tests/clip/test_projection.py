"""The last matrix of an image tower: found where there is one, and taken off exactly."""

from __future__ import annotations

import open_clip
import pytest
import torch
from torch import Tensor

from dapt.clip.adapters import AdaptedPrompts
from dapt.clip.frozen import FrozenClip
from dapt.clip.image_tower import HookedImageTower, NativeImageTower
from dapt.clip.masked_views import encode_views
from dapt.clip.projection import run_tower
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.errors import NotSupportedError
from helpers import PREPROCESS, tiny_clip, tiny_model

BARE = Prompts(projected=False)
TEXT = {"context_length": 32, "vocab_size": 49408, "width": 24, "heads": 2, "layers": 2}


def timm_clip(**vision: object) -> FrozenClip:
    pytest.importorskip("timm")
    torch.manual_seed(0)
    given = {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": "token", "timm_proj": "linear", **vision}
    model = open_clip.model.CustomTextCLIP(embed_dim=32, vision_cfg=given, text_cfg=TEXT)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return FrozenClip(model, open_clip.SimpleTokenizer(context_length=32), PREPROCESS, "timm")


def pixels(side: int) -> Tensor:
    return torch.randn(3, 3, side, side, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("savings", [True, False])
@pytest.mark.parametrize("pool", ["tok", "avg"])
def test_an_open_clip_tower(pool: str, savings: bool) -> None:
    vision = {"image_size": 32, "layers": 2, "width": 48, "head_width": 16, "patch_size": 8, "pool_type": pool}
    clip = tiny_clip(vision_cfg=vision)
    clip.savings.set_all(savings)
    tower = clip.image
    assert isinstance(tower, NativeImageTower)
    own = tower.projection()
    assert torch.equal(own.weight, clip.model.visual.proj)
    assert own.bias is None
    before = tower.encode(pixels(32), BARE)
    assert before.shape == (3, 48)
    assert torch.allclose(before @ own.weight, tower.encode(pixels(32)), atol=1e-5)


@pytest.mark.parametrize("bias", [False, True])
def test_a_timm_tower(bias: bool) -> None:
    model = timm_clip()
    visual = model.image.visual
    if bias:
        visual.head.proj.bias = torch.nn.Parameter(torch.randn(32), requires_grad=False)
    tower = model.image
    assert isinstance(tower, HookedImageTower)
    own = tower.projection()
    assert own.weight.shape == (tower.width, 32)
    before = tower.encode(pixels(160), BARE)
    assert before.shape == (3, tower.width)
    mapped = before @ own.weight + (own.bias if bias else 0)
    assert (own.bias is not None) == bias
    assert torch.allclose(mapped, tower.encode(pixels(160)), atol=1e-5)


def test_prompts_are_taken_off_all_the_same() -> None:
    """Visual prompts act on what is read before the projection, in both kinds of towers."""
    for clip, side in ((tiny_clip(), 32), (timm_clip(), 160)):
        tower = clip.image
        ctx = torch.randn(2, tower.width, generator=torch.Generator().manual_seed(1))
        whole = tower.encode(pixels(side), Prompts(visual_ctx=ctx))
        before = tower.encode(pixels(side), Prompts(visual_ctx=ctx, projected=False))
        assert torch.allclose(before @ tower.projection().weight, whole, atol=1e-4)
        assert not torch.allclose(before, tower.encode(pixels(side), BARE), atol=1e-4)


def test_a_tower_without_places_for_prompts_but_with_a_projection() -> None:
    clip = timm_clip(timm_model_name="test_convnext", timm_pool="avg", image_size=64)
    assert clip.image.width == 0
    own = clip.image.projection()
    before = clip.image.encode(pixels(64), BARE)
    assert torch.allclose(before @ own.weight, clip.image.encode(pixels(64)), atol=1e-4)


def test_views_by_attention() -> None:
    clip = tiny_clip()
    masks = torch.zeros(3, 1, 32, 32)
    masks[:, :, :16] = 1
    weight = clip.image.projection().weight
    whole = encode_views(clip.image, pixels(32), masks, NO_PROMPTS)
    before = encode_views(clip.image, pixels(32), masks, BARE)
    for with_it, without in zip(whole, before, strict=True):
        assert torch.allclose(without @ weight, with_it, atol=1e-4)


@pytest.mark.parametrize(
    ("vision", "message"),
    [
        ({"timm_pool": "map", "timm_proj": "none"}, "does not end with a projection matrix"),
        ({"timm_proj": "mlp"}, "ends with an MLP"),
        ({"timm_proj": ""}, "does not end with a projection matrix"),
    ],
)
def test_other_timm_towers_are_refused(vision: dict[str, str], message: str) -> None:
    clip = timm_clip(**vision)
    with pytest.raises(NotSupportedError, match=message):
        clip.image.projection()
    with pytest.raises(NotSupportedError, match=message):
        run_tower(clip.image.visual, pixels(160), projected=False)


def test_a_resnet_and_a_tower_without_projection_are_refused() -> None:
    resnet = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    bare = tiny_model()
    bare.visual.proj = None
    plain = FrozenClip(bare, open_clip.SimpleTokenizer(context_length=32), PREPROCESS, "bare")
    for clip in (resnet, plain):
        with pytest.raises(NotSupportedError, match="does not end with a projection matrix"):
            clip.image.projection()


def test_prompts_without_gradient_stay_unprojected() -> None:
    assert BARE.detached().projected is False
    assert AdaptedPrompts(projected=False).detached().projected is False
    assert AdaptedPrompts().detached().projected is True
