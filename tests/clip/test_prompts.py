"""`Prompts`: a plain value."""

from __future__ import annotations

import torch

from dapt.clip.prompts import NO_PROMPTS, Prompts


def test_nothing_by_default():
    assert Prompts(None, (), None, ()) == NO_PROMPTS
    assert not NO_PROMPTS.class_specific
    assert NO_PROMPTS.detached() == NO_PROMPTS


def test_class_specific_by_the_shape_of_the_context():
    assert not Prompts(text_ctx=torch.zeros(4, 8)).class_specific
    assert Prompts(text_ctx=torch.zeros(3, 4, 8)).class_specific
    assert not Prompts(visual_ctx=torch.zeros(3, 4, 8)).class_specific


def test_detached_are_the_same_values_without_gradient():
    parts = [torch.full((2, 3), float(number), requires_grad=True) for number in range(6)]
    prompts = Prompts(parts[0], (parts[1], parts[2]), parts[3], (parts[4], parts[5]))
    plain = prompts.detached()
    found = [plain.text_ctx, *plain.text_deep, plain.visual_ctx, *plain.visual_deep]
    assert [part.mean().item() for part in found] == [0, 1, 2, 3, 4, 5]
    assert not any(part.requires_grad for part in found)
    assert all(part.requires_grad for part in parts)
