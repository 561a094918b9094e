"""Packing and the context: what was encoded before does not matter, and texts without slots take no context."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.prompts import NO_PROMPTS, Prompts

NAMES = ["cat", "golden_retriever", "a very long name of something", "dog"]


def contexts(clip, shape):
    return torch.randn(*shape, clip.text.width, generator=torch.Generator().manual_seed(1)) * 0.3


@pytest.mark.parametrize("position", ["end", "middle", "front"])
@pytest.mark.parametrize("shape", [(2,), (len(NAMES), 2)], ids=["shared", "class_specific"])
@pytest.mark.parametrize("first", ["frozen", "prompted"])
def test_features_do_not_depend_on_what_came_first(clip, position, shape, first) -> None:
    prompts = Prompts(text_ctx=contexts(clip, shape))
    order = [NO_PROMPTS, prompts] if first == "frozen" else [prompts, NO_PROMPTS]
    tokens = clip.tokenizer.with_context(NAMES, 2, position=position)
    for given in order:
        alone = clip.encode_text(clip.tokenizer.with_context(NAMES, 2, position=position), given)
        assert torch.equal(clip.encode_text(tokens, given), alone)


def test_gradient_reaches_the_context_after_a_call_without_it(clip) -> None:
    tokens = clip.tokenizer.with_context(NAMES, 2, position="middle")
    clip.encode_text(tokens)
    context = contexts(clip, (2,)).requires_grad_()
    (gradient,) = torch.autograd.grad(clip.encode_text(tokens, Prompts(text_ctx=context)).sum(), context)
    assert bool((gradient.abs().amax(dim=1) > 0).all())


@pytest.mark.parametrize("shape", [(2,), (5, 2), (5, 0)], ids=["shared", "class_specific", "empty"])
def test_texts_without_slots_are_those_of_the_frozen_model(clip, shape) -> None:
    tokens = clip.tokenizer.plain(["a clean origami sky.", "a clean origami lake."])
    assert torch.equal(clip.encode_text(tokens, Prompts(text_ctx=contexts(clip, shape))), clip.encode_text(tokens))
