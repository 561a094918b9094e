"""Towers by few kernels, as on a GPU, equal those by little arithmetic: forced on a CPU."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch

from dapt.clip.prompts import NO_PROMPTS, Prompts
from helpers import tiny_clip

NAMES = ["cat", "golden_retriever", "a very long name of something", "dog"]


def draw(*shape, seed):
    return (torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.3).requires_grad_()


@contextmanager
def by_few_kernels(clip):
    clip.savings.profile = "cuda"
    try:
        yield
    finally:
        clip.savings.profile = "auto"


def prompts_of(clip, kind):
    text, image = clip.text.width, clip.image.width
    deep = tuple(draw(2, text, seed=10 + i) for i in range(2))
    deep_visual = tuple(draw(2, image, seed=20 + i) for i in range(2))
    made = {
        "none": NO_PROMPTS,
        "coupled": Prompts(draw(2, text, seed=1), deep, draw(2, image, seed=2), deep_visual[:1]),
        "all_layers": Prompts(draw(2, text, seed=1), (), draw(2, image, seed=2), deep_visual),
        "shallow": Prompts(draw(2, text, seed=1), (), draw(2, image, seed=2)),
        "class_specific": Prompts(draw(len(NAMES), 2, text, seed=1)),
        "class_specific_deep": Prompts(draw(len(NAMES), 2, text, seed=1), deep),
        "text_deep": Prompts(None, deep),
    }[kind]
    parts = [made.text_ctx, *made.text_deep, made.visual_ctx, *made.visual_deep]
    return made, [part for part in parts if part is not None]


KINDS = ["coupled", "all_layers", "shallow", "class_specific", "class_specific_deep", "text_deep", "none"]


def texts_of(clip, kind, position="end", names=NAMES):
    if kind in ("none", "text_deep"):
        return clip.tokenizer.plain([f"a photo of {name}." if name != "dog" else "big dog here" for name in names])
    return clip.tokenizer.with_context(names, 2, position=position)


def features_and_gradients(clip, pixels, kind, **how):
    prompts, leaves = prompts_of(clip, kind)
    found = [clip.text.encode(texts_of(clip, kind, **how), prompts), clip.image.encode(pixels, prompts)]
    total = sum((part * torch.linspace(-1, 1, part.numel()).view_as(part)).sum() for part in found)
    return found, torch.autograd.grad(total, leaves) if leaves else ()


def assert_equal(ours, plain):
    for a, b in zip((*ours[0], *ours[1]), (*plain[0], *plain[1]), strict=True):
        assert a.dtype == b.dtype
        assert float(b.detach().abs().max()) > 0
        assert torch.allclose(a, b, atol=1e-5 * float(b.detach().abs().max()), rtol=0)


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_features_and_gradients_equal_those_by_little_arithmetic(clip, pixels, kind, quick):
    clip = clip if quick else tiny_clip()
    plain = features_and_gradients(clip, pixels, kind)
    with by_few_kernels(clip):
        ours = features_and_gradients(clip, pixels, kind)
    assert_equal(ours, plain)


@pytest.mark.parametrize("kind", ["shallow", "class_specific", "coupled"])
@pytest.mark.parametrize("position", ["middle", "front"])
def test_slots_may_stand_anywhere(clip, pixels, kind, position):
    plain = features_and_gradients(clip, pixels, kind, position=position)
    with by_few_kernels(clip):
        ours = features_and_gradients(clip, pixels, kind, position=position)
    assert_equal(ours, plain)


@pytest.mark.parametrize("names", [["cat"], ["cat", "dog", "cow"], [" ".join(["cat"] * 25), "dog"]])
def test_texts_of_one_length_and_of_the_greatest(clip, pixels, names):
    plain = features_and_gradients(clip, pixels, "coupled", names=names)
    with by_few_kernels(clip):
        ours = features_and_gradients(clip, pixels, "coupled", names=names)
    assert_equal(ours, plain)
