"""What is tapped is what the model computes, in native and timm towers, with prompts and adapters in place."""

from __future__ import annotations

import pytest
import torch
from open_clip import CustomTextCLIP
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.clip.image_tower import HookedImageTower, ImageTower, NativeImageTower, PromptFreeImageTower
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.clip.taps import Taps, local_tokens, patch_attention, read_tokens, require_taps, tapped
from dapt.errors import NotSupportedError
from dapt.methods.base import METHODS
from helpers import TINY, tiny_clip, tiny_model

PATHS = ("value", "qq", "kk", "vv", "qk")
KINDS = ("native", "native avg", "wide", "hooked", "timm token", "timm avg", "timm map")


def timm_clip(pool: str) -> FrozenClip:
    pytest.importorskip("timm")
    torch.manual_seed(0)
    like = tiny_clip()
    vision = {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": pool, "timm_proj": "none"}
    model = CustomTextCLIP(**{**TINY, "embed_dim": 64, "vision_cfg": vision})
    return FrozenClip(model, like.tokenizer._tokenize, like.preprocess, "timm")


@pytest.fixture(params=KINDS)
def tower(request: pytest.FixtureRequest) -> ImageTower:
    kind, _, pool = request.param.partition(" ")
    if kind == "timm":
        return timm_clip(pool).image
    vision = dict(TINY["vision_cfg"])
    if pool:
        vision["pool_type"] = pool
    if kind == "wide":
        vision["image_size"] = (16, 48)
    visual = tiny_model(vision_cfg=vision).eval().requires_grad_(False).visual
    return HookedImageTower(visual) if kind == "hooked" else NativeImageTower(visual)


def prompts_of(tower: ImageTower) -> Prompts:
    generator = torch.Generator().manual_seed(1)
    ctx, deep = (torch.randn(3, tower.width, generator=generator) for _ in range(2))
    return Prompts(visual_ctx=ctx, visual_deep=(deep,))


def pixels_of(tower: ImageTower) -> Tensor:
    return torch.randn(2, 3, *tower.image_size, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def taps_of(tower: ImageTower, prompts: Prompts, last: int = 2) -> Taps:
    with tapped(tower, last) as taps:
        tower.encode(pixels_of(tower), prompts)
    return taps


@pytest.mark.parametrize("prompted", [False, True])
def test_listening_changes_nothing_and_hears_the_patches(tower, prompted: bool) -> None:
    prompts = prompts_of(tower) if prompted else NO_PROMPTS
    pixels = pixels_of(tower)
    before = tower.encode(pixels, prompts)
    with tapped(tower, 2) as taps:
        assert torch.equal(tower.encode(pixels, prompts), before)
    assert [len(taps.blocks), len(taps.entering), len(taps.normed)] == [2, 2, 2]
    shape = (2, tower.grid[0] * tower.grid[1], tower.width)
    assert all(part.shape == shape for part in (*taps.entering, *taps.normed))
    assert torch.equal(tower.encode(pixels, prompts), before)
    tower.encode(pixels, prompts)
    assert len(taps.entering) == 2, "nobody listens any more"


def test_prompts_change_what_is_heard(tower) -> None:
    plain, prompted = taps_of(tower, NO_PROMPTS), taps_of(tower, prompts_of(tower))
    assert not torch.allclose(plain.entering[-1], prompted.entering[-1], atol=1e-4)


@torch.no_grad()
def test_the_path_of_the_model_is_its_own_block(tower) -> None:
    """Over the patches alone, the block itself makes what ``qk`` with the whole block makes."""
    taps = taps_of(tower, NO_PROMPTS)
    expected = taps.blocks[-1](taps.entering[-1])
    assert torch.allclose(local_tokens(taps, "qk", whole_block=True), expected, atol=1e-4)
    weights = patch_attention(taps.blocks[-1], taps.normed[-1])
    assert torch.allclose(weights.sum(dim=2), torch.ones(weights.shape[:2]), atol=1e-5)


@torch.no_grad()
def test_a_value_is_a_patch_of_its_own(tower) -> None:
    taps = taps_of(tower, NO_PROMPTS)
    before = {path: local_tokens(taps, path) for path in PATHS}
    taps.normed[-1][:, 0] += 1.0
    after = {path: local_tokens(taps, path) for path in PATHS}
    assert torch.equal(before["value"][:, 1:], after["value"][:, 1:])
    assert not torch.allclose(before["value"][:, 0], after["value"][:, 0], atol=1e-4)
    for path in PATHS[1:]:
        assert not torch.equal(before[path][:, 1:], after[path][:, 1:]), path
    kinds = [before[path] for path in PATHS]
    assert all(not torch.allclose(a, b, atol=1e-6) for i, a in enumerate(kinds) for b in kinds[:i])


@torch.no_grad()
def test_tokens_are_read_as_the_tower_reads_them(tower) -> None:
    """A picture whose tokens are all the same is read as that token."""
    token = torch.randn(1, 1, tower.width, generator=torch.Generator().manual_seed(2))
    length = tower.first_patch + tower.grid[0] * tower.grid[1]
    last = tower.blocks[-1]
    handle = last.register_forward_hook(lambda module, args, output: token.expand(len(output), length, -1))
    if isinstance(tower, NativeImageTower):  # its blocks are not called
        expected = tower.read_pooled(token.expand(1, length, -1))[0]
    else:
        expected = tower.encode(pixels_of(tower))[0]
    handle.remove()
    other = torch.randn(1, 1, tower.width, generator=torch.Generator().manual_seed(3))
    found = read_tokens(tower, torch.cat([token, other], dim=1))
    assert found.shape[:2] == (1, 2)
    assert torch.allclose(found[0, 0], expected, atol=1e-4)
    assert not torch.allclose(found[0, 1], expected, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["native", "timm"])
def test_adapted_weights_are_in_place(kind: str) -> None:
    clip = tiny_clip() if kind == "native" else timm_clip("token")
    recipe = METHODS.get("clip_lora.vision")
    options = recipe.options.model_validate({**recipe.preset, "dropout": 0.0})
    architecture = recipe.load_architecture()(options, clip, ["cat"], torch.Generator().manual_seed(3))
    for name, value in architecture.named_parameters():
        if name.endswith(".b"):
            value.add_(0.3)
    tower, prompts = clip.image, architecture()
    taps = taps_of(tower, prompts)
    plain = local_tokens(taps, "qk", whole_block=True)
    with tower.adapted(prompts):
        adapted = local_tokens(taps, "qk", whole_block=True)
        assert torch.allclose(adapted, taps.blocks[-1](taps.entering[-1]), atol=1e-4)
    assert not torch.allclose(adapted, plain, atol=1e-3)


def test_towers_without_patches_are_refused_and_told_what_to_use() -> None:
    visual = torch.nn.Linear(2, 2)
    visual.image_size = 32
    with pytest.raises(NotSupportedError, match="patches of this image tower") as caught:
        require_taps(PromptFreeImageTower(visual, "no vision transformer"))
    assert "--cue border" in caught.value.todo
