"""Views by attention: the full feature is exact, readers see their side only, and a step costs less than by pixels."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dapt.clip.frozen import unit
from dapt.clip.image_tower import HookedImageTower
from dapt.clip.masked_views import encode_views, foreground_patches, require_readers
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.errors import DataError, NotSupportedError
from dapt.model.build import build_model
from dapt.model.needs import Needs
from dapt.objectives.build import build_objectives
from dapt.training.step import TrainStep
from helpers import TINY, tiny_clip

KINDS = {"none": (0, 0), "shallow": (2, 0), "deep": (2, 1), "all_layers": (2, 2)}


@pytest.fixture
def masks():
    """Left half, upper three quarters, one patch; patches are 8 by 8."""
    masks = torch.zeros(3, 1, 32, 32)
    masks[0, :, :, :16] = masks[1, :, :24] = masks[2, :, 8:16, 8:16] = 1
    return masks


def prompts_of(clip, kind):
    count, deep = KINDS[kind]
    if not count:
        return NO_PROMPTS
    generator = torch.Generator().manual_seed(2)
    made = [(torch.randn(count, clip.image.width, generator=generator) * 0.3).requires_grad_() for _ in range(1 + deep)]
    return Prompts(visual_ctx=made[0], visual_deep=tuple(made[1:]))


def config_of(views, **changes):
    settings = {"data": "x", "method": "maple", "depth": 2, "epochs": 10, **changes}
    return make_config({**settings, "dapt": {"variant": "phased", "views": views}})


def step_of(clip, views, **changes):
    config = config_of(views, **changes)
    model = build_model(config, clip, ["cat", "dog", "cow"])
    return TrainStep(model, build_objectives(config, model))


@pytest.mark.parametrize("savings", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_full_feature_and_its_gradients_are_those_of_the_tower(clip, pixels, masks, kind, savings):
    prompts = prompts_of(clip, kind)
    leaves = [part for part in (prompts.visual_ctx, *prompts.visual_deep) if part is not None]
    full = encode_views(clip.image, pixels, masks, prompts)[0]
    clip.savings.set_all(savings)
    try:
        plain = clip.image.encode(pixels, prompts)
    finally:
        clip.savings.set_all(True)
    assert torch.allclose(full, plain, atol=1e-6, rtol=1e-6)
    if leaves:
        way = torch.linspace(-1, 1, full.numel()).view_as(full)
        ours, theirs = (torch.autograd.grad((x * way).sum(), leaves) for x in (full, plain))
        for a, b in zip(ours, theirs, strict=True):
            assert torch.allclose(a, b, atol=1e-5 * float(b.abs().max()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_of_all_patches_is_the_class_token(clip, pixels, kind):
    prompts = prompts_of(clip, kind)
    full, foreground, background = encode_views(clip.image, pixels, torch.ones(3, 1, 32, 32), prompts)
    assert torch.allclose(foreground, full, atol=1e-5)
    assert background.isfinite().all()
    assert not torch.allclose(background, full, atol=1e-2)
    background = encode_views(clip.image, pixels, torch.zeros(3, 1, 32, 32), prompts)[2]
    assert torch.allclose(background, full, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_swapping_the_mask_swaps_the_sides(clip, pixels, masks, kind):
    prompts = prompts_of(clip, kind)
    full, foreground, background = encode_views(clip.image, pixels, masks, prompts)
    again = encode_views(clip.image, pixels, 1 - masks, prompts)
    for ours, swapped in zip((full, background, foreground), again, strict=True):
        assert torch.allclose(ours, swapped, atol=1e-6)
    for a, b in ((foreground, background), (foreground, full), (background, full)):
        assert ((a - b).abs().amax(dim=1) > 1e-2).all()


def test_readers_see_their_own_side_only(pixels, masks):
    """In a tower of one block nothing has mixed before the readers look, so hiding is exact."""
    clip = tiny_clip(vision_cfg={**TINY["vision_cfg"], "layers": 1})
    _, foreground, background = encode_views(clip.image, pixels, masks)
    changed = pixels + (1 - masks) * torch.randn_like(pixels)
    _, foreground_after, background_after = encode_views(clip.image, changed, masks)
    assert torch.allclose(foreground, foreground_after, atol=1e-6)
    assert not torch.allclose(background, background_after, atol=1e-2)


def test_patches_belong_to_the_side_that_covers_half(clip):
    masks = torch.zeros(1, 1, 32, 32)
    masks[..., :8, :8] = 1
    masks[..., :8, 8:12] = 1  # half of the second patch
    masks[..., 8:16, :3] = 1  # less than half of the fifth
    masks[..., 24:, 24:] = 0.6  # a soft mask
    assert foreground_patches(clip.image, masks).nonzero()[:, 1].tolist() == [0, 1, 15]


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("view", [0, 1, 2])
def test_gradients_reach_the_prompts_of_every_layer(clip, pixels, masks, view, checkpointing):
    masks[2] = 1  # one side is empty
    prompts = prompts_of(clip, "deep")
    leaves = [prompts.visual_ctx, *prompts.visual_deep]
    clip.image.checkpointing = checkpointing
    try:
        gradients = torch.autograd.grad(
            unit(encode_views(clip.image, pixels, masks, prompts)[view])[:, 0].sum(), leaves
        )
    finally:
        clip.image.checkpointing = False
    assert all(gradient.isfinite().all() and gradient.abs().max() > 0 for gradient in gradients)
    plain = torch.autograd.grad(unit(encode_views(clip.image, pixels, masks, prompts)[view])[:, 0].sum(), leaves)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(gradients, plain, strict=True))


@pytest.mark.parametrize("epoch", [0, 9])
def test_a_step_costs_less_than_by_pixels(clip, pixels, masks, epoch):
    batch = Batch(pixels, torch.tensor([0, 1, 2]), masks)
    flops, terms = {}, {}
    for views in ("pixels", "attention"):
        step = step_of(clip, views)
        with FlopCounterMode(display=False) as counter:
            loss, terms[views], _ = step(batch, epoch, 10)
            loss.backward()
        flops[views] = counter.get_total_flops()
        assert loss.isfinite()
        for parameter in step.parameters():
            assert parameter.grad is not None
            assert parameter.grad.isfinite().all()
            assert parameter.grad.abs().max() > 0
    assert flops["attention"] < flops["pixels"]
    assert terms["attention"].keys() == terms["pixels"].keys()
    assert torch.allclose(terms["attention"]["L_cls"].value, terms["pixels"]["L_cls"].value, atol=1e-4)


def test_computes_what_is_needed_with_gradient_where_wanted(clip, pixels, masks):
    model = step_of(clip, "attention").model
    batch = Batch(pixels, torch.tensor([0, 1, 2]), masks)
    outputs = model.compute(batch, Needs({"full": True, "background": False}))
    assert [outputs.image[name].requires_grad for name in ("full", "background")] == [True, False]
    assert set(outputs.image) == {"full", "background"}
    assert torch.allclose(outputs.image["background"].norm(dim=1), torch.ones(3))
    assert torch.equal(outputs.image["background"], unit(encode_views(clip.image, pixels, masks, model.prompts())[2]))
    without = Batch(pixels, batch.labels)
    assert set(model.compute(without, Needs({"full": True})).image) == {"full"}
    with pytest.raises(DataError, match="no masks"):
        model.compute(without, Needs({"foreground": False}))


def test_towers_that_cannot_are_refused_when_the_model_is_built(clip, pixels, masks):
    average = tiny_clip(vision_cfg={**TINY["vision_cfg"], "pool_type": "avg"})
    for refuse in (
        lambda: build_model(config_of("attention"), average, ["cat", "dog"]),
        lambda: encode_views(average.image, pixels, masks),
        lambda: require_readers(HookedImageTower(tiny_clip().model.visual)),
    ):
        with pytest.raises(NotSupportedError, match=r"dapt\.views=pixels"):
            refuse()
    assert build_model(config_of("pixels"), average, ["cat", "dog"]).views == "pixels"
    plain = config_of("attention").model_copy(update={"dapt": make_config({"data": "x"}).dapt})
    assert build_model(plain, average, ["cat", "dog"]).views == "pixels"  # without DAPT nothing is masked
    with pytest.raises(NotSupportedError, match="visual prompt layers"):
        encode_views(clip.image, pixels, masks, Prompts(None, (), torch.zeros(2, 32), (torch.zeros(2, 32),) * 3))
