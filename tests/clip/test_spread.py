"""Texts packed for all but attention and padded for that: plans worked out by hand."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.spread import TextSet, can_spread, make_spread
from dapt.clip.tokens import PromptTokens


def texts(*ends: int, offset: int = 1) -> PromptTokens:
    return PromptTokens(torch.zeros(len(ends), 8, dtype=torch.long), torch.tensor(ends), None, offset)


def plan_of(*sets: TextSet, count: int = 0):
    return make_spread(sets, count, torch.float32)


def test_a_plan_by_hand() -> None:
    """Two texts of 4 and 3 tokens, the first 2 in common: 2 + 2 + 1 tokens, and one for the padding."""
    plan = plan_of(TextSet(texts(3, 2), 2))
    assert plan.longest == 4
    assert plan.table.tolist() == [[0, 1, 2, 3], [0, 1, 4, 5]]
    assert plan.rows.tolist() == [2, 3, 6, 7]
    assert plan.kept.tolist() == [0, 1, 2, 3, 6, 7]
    assert plan.given.view(2, 4).tolist() == [[0, 1, 2, 3], [5, 5, 4, 5]]
    assert (plan.ends.tolist(), plan.end_rows.tolist(), plan.prefixes) == ([3, 6], [3, 4], 2)
    assert plan.stays.squeeze(1).tolist() == [1] * 6


def test_texts_of_one_length_get_padding_all_the_same() -> None:
    plan = plan_of(TextSet(texts(2, 2), 1))
    assert plan.longest == 4
    assert plan.table.tolist() == [[0, 1, 2, 5], [0, 3, 4, 5]]


def test_several_sets_have_their_prefixes_first() -> None:
    plan = plan_of(TextSet(texts(3, 3), 2), TextSet(texts(2), 1))
    assert plan.table.tolist() == [[0, 1, 3, 4], [0, 1, 5, 6], [2, 7, 8, 9]]
    assert [(group.first, group.texts, group.shared, group.prefix) for group in plan.groups] == [
        (0, 2, 2, 0),
        (2, 1, 1, 2),
    ]


@pytest.mark.parametrize(("shared", "copies"), [(3, 1), (2, 2), (1, 2), (0, 2)])
def test_deep_prompts_are_written_to_the_prefix_or_to_every_text(shared: int, copies: int) -> None:
    """Two of them behind the start token; a prefix that ends among them ends before them."""
    plan = plan_of(TextSet(texts(4, 3), shared), count=2)
    tokens = torch.arange(float(len(plan.stays))).unsqueeze(1)
    (deep,) = plan.deep(tokens)
    assert deep.shape == (copies, 2, 1)
    expected = plan.table[:copies, 1:3]
    assert torch.equal(deep.squeeze(-1), expected.float())
    assert plan.stays.squeeze(1).nonzero().flatten().tolist() == sorted(
        set(range(len(tokens))) - set(expected.flatten().tolist())
    )


def test_texts_that_end_among_deep_prompts_cannot_be_spread() -> None:
    assert can_spread([TextSet(texts(3, 4), 0)], 2)
    assert not can_spread([TextSet(texts(3, 4), 0), TextSet(texts(2), 0)], 2)
    assert can_spread([TextSet(texts(2), 0)], 0)


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("shared", [0, 1, 3])
def test_padding_and_packing_and_their_gradients(shared: int, count: int) -> None:
    plan = plan_of(TextSet(texts(5, 3, 4), shared), TextSet(texts(4, 3), 1), count=count)
    generator = torch.Generator().manual_seed(0)
    packed = torch.randn(len(plan.kept), 2, generator=generator, requires_grad=True)
    padded = plan.pad(packed)
    assert torch.equal(padded, packed[plan.table])
    assert torch.equal(plan.pack(padded), packed)
    assert torch.equal(plan.pack_ends(padded), packed[plan.end_rows])

    # the padding is read by nobody, so nothing comes back to it
    weight = torch.randn(padded.shape, generator=generator) * (plan.table != len(plan.kept) - 1).unsqueeze(-1)
    (found,) = torch.autograd.grad((padded * weight).sum(), packed)
    (expected,) = torch.autograd.grad((packed[plan.table] * weight).sum(), packed)
    assert torch.allclose(found, expected, atol=1e-6)

    whole = torch.randn(padded.shape, generator=generator, requires_grad=True)
    weight = torch.randn(packed.shape, generator=generator)
    weight[-1] = 0
    (found,) = torch.autograd.grad((plan.pack(whole) * weight).sum(), whole)
    (expected,) = torch.autograd.grad((whole.flatten(0, 1)[plan.kept] * weight).sum(), whole)
    assert torch.equal(found, expected)
