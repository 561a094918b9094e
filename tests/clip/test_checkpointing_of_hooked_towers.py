"""Recomputed blocks in towers that prompts enter through hooks: the same gradients, and really recomputed."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch
from open_clip.model import CustomTextCLIP

from dapt.clip.frozen import FrozenClip
from dapt.clip.image_tower import HookedImageTower
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.methods.base import METHODS
from dapt.model.grad_cam import grad_cam
from helpers import TINY, classifier_of, tiny_clip, tiny_model

TIMM = {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": "map", "timm_proj": "none"}


@pytest.fixture(scope="module")
def timm_clip() -> FrozenClip:
    pytest.importorskip("timm")
    torch.manual_seed(0)
    like = tiny_clip()
    model = CustomTextCLIP(**{**TINY, "embed_dim": 64, "vision_cfg": TIMM})
    return FrozenClip(model, like.tokenizer._tokenize, like.preprocess, "timm")


@pytest.fixture(scope="module", params=["timm", "native"])
def tower(request: pytest.FixtureRequest) -> HookedImageTower:
    if request.param == "timm":
        return request.getfixturevalue("timm_clip").image
    return HookedImageTower(tiny_model().eval().requires_grad_(False).visual)


@contextmanager
def recomputing(tower: HookedImageTower):
    tower.checkpointing = True
    try:
        yield
    finally:
        tower.checkpointing = False


def prompts_of(tower: HookedImageTower, seed: int) -> Prompts:
    generator = torch.Generator().manual_seed(seed)
    ctx, *deep = (
        (torch.randn(2, tower.width, generator=generator) * 0.3).requires_grad_() for _ in range(tower.layers)
    )
    return Prompts(visual_ctx=ctx, visual_deep=tuple(deep))


def gradients(tower: HookedImageTower) -> list[torch.Tensor]:
    """Of two calls with different prompts, one without any after them."""
    images = torch.randn(2, 3, *tower.image_size, generator=torch.Generator().manual_seed(1))
    each = [prompts_of(tower, seed) for seed in (2, 3)]
    loss = sum(tower.encode(images, prompts).square().sum() for prompts in each)
    tower.encode(images, NO_PROMPTS)
    leaves = [part for prompts in each for part in (prompts.visual_ctx, *prompts.visual_deep)]
    return list(torch.autograd.grad(loss, leaves))


def test_gradients_are_the_same_and_blocks_are_run_again(tower) -> None:
    calls: list[int] = []
    handles = [
        module.attn.register_forward_pre_hook(lambda *_, index=index: calls.append(index))
        for index, module in enumerate(tower.blocks)
    ]
    try:
        plain = gradients(tower)
        once = len(calls)
        calls.clear()
        with recomputing(tower):
            again = gradients(tower)
    finally:
        for handle in handles:
            handle.remove()
    assert (once, len(calls)) == (3 * tower.layers, 5 * tower.layers)
    for a, b in zip(plain, again, strict=True):
        assert torch.equal(a, b)
        assert float(a.abs().max()) > 0


def test_nothing_is_recomputed_without_gradient(tower) -> None:
    images = torch.randn(2, 3, *tower.image_size)
    with recomputing(tower), torch.no_grad():
        assert not tower.encode(images, prompts_of(tower, 2)).requires_grad


def test_adapted_weights_are_those_of_the_call(timm_clip) -> None:
    recipe = METHODS.get("clip_lora.vision")
    options = recipe.options.model_validate({**recipe.preset, "dropout": 0.0})
    prompts = recipe.load_architecture()(options, timm_clip, ["cat"], torch.Generator().manual_seed(3))
    images = torch.randn(2, 3, 160, 160)

    def gradients_of_updates():
        loss = timm_clip.image.encode(images, prompts()).square().sum()
        return torch.autograd.grad(loss, [value for name, value in prompts.named_parameters() if name.endswith(".b")])

    plain = gradients_of_updates()
    with recomputing(timm_clip.image):
        again = gradients_of_updates()
    assert all(torch.equal(a, b) for a, b in zip(plain, again, strict=True))


def test_grad_cam_is_the_same(timm_clip) -> None:
    prompts = prompts_of(timm_clip.image, 2)
    texts = timm_clip.encode_text(timm_clip.tokenizer.plain(["a cat", "a dog"]))
    pixels, targets = torch.randn(2, 3, 160, 160), torch.tensor([0, 1])
    plain = grad_cam(classifier_of(timm_clip, prompts, texts), pixels, targets)
    with recomputing(timm_clip.image):
        again = grad_cam(classifier_of(timm_clip, prompts, texts), pixels, targets)
    assert torch.equal(plain.coarse, again.coarse)
    assert torch.equal(plain.activations, again.activations)
