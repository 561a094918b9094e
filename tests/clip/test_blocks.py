"""Blocks taken apart equal open_clip's own; others are not taken apart."""

from __future__ import annotations

import pytest
import torch
from open_clip.transformer import ResidualAttentionBlock
from torch import nn

from dapt.clip.blocks import (
    attention_of,
    block_with_prompts,
    can_take_apart,
    merge_heads,
    pool_by_query,
    project,
    read_first_token,
    whole_block,
)
from dapt.clip.savings import Savings


@pytest.fixture(params=["plain", "layer_scale"])
def block(request):
    torch.manual_seed(0)
    scale = 0.5 if request.param == "layer_scale" else None
    return ResidualAttentionBlock(8, 2, ls_init_value=scale).eval().requires_grad_(False)


@pytest.fixture
def x():
    return torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("on", [True, False])
def test_a_block_is_the_models_own(block, x, on):
    use = Savings()
    use.set_all(on)
    assert can_take_apart(block)
    assert torch.allclose(whole_block(block, x, use), block(x), atol=1e-6)
    assert torch.allclose(read_first_token(block, x, use), block(x)[:, 0], atol=1e-6)
    prompts = torch.randn(2, 8)
    expected = block(torch.cat([x, prompts.expand(3, -1, -1)], dim=1))[:, :5]
    assert torch.allclose(block_with_prompts(block, x, prompts, use), expected, atol=1e-6)
    assert torch.allclose(block_with_prompts(block, x, prompts[:0], use), block(x), atol=1e-6)


def test_queries_keys_and_values_by_head(block, x):
    attention = attention_of(block)
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    parts = project(attention, x, Savings())
    for number, part in enumerate(parts):
        rows = slice(8 * number, 8 * number + 8)
        expected = x @ weight[rows].t() + bias[rows]
        assert part.shape == (3, 2, 5, 4)
        assert torch.allclose(part[:, 1], expected[..., 4:], atol=1e-6)
        assert torch.allclose(merge_heads(part), expected, atol=1e-6)
    only = project(attention, x, Savings(), 1, 2)
    assert len(only) == 2
    assert torch.allclose(only[1], parts[2], atol=1e-6)


def test_one_query_by_hand():
    """Two tokens, one head of width 1, all projections the identity: the softmax of the products."""
    attention = nn.MultiheadAttention(1, 1, batch_first=True)
    with torch.no_grad():
        attention.in_proj_weight.fill_(1)
        attention.in_proj_bias.copy_(torch.tensor([0.0, 5.0, 0.25]))  # that of the keys drops out
    found = pool_by_query(attention, torch.tensor([[2.0]]), torch.empty(0, 1), torch.tensor([[[1.0], [3.0]]]))
    first = 1 / (1 + torch.tensor(4.0).exp())
    assert torch.allclose(found, first * 1 + (1 - first) * 3 + 0.25)
    hidden = torch.tensor([[False, True]])
    found = pool_by_query(attention, torch.tensor([[2.0]]), torch.empty(0, 1), torch.tensor([[[1.0], [3.0]]]), hidden)
    assert torch.allclose(found, torch.tensor([[1.25]]))


def test_which_blocks_can_be_taken_apart():
    def standard(**changes: object) -> nn.Module:
        made = ResidualAttentionBlock(8, 2)
        for name, part in changes.items():
            setattr(made, name, part)
        return made

    def attention(**options: object) -> nn.MultiheadAttention:
        return nn.MultiheadAttention(8, 2, **{"batch_first": True, **options})

    assert can_take_apart(standard(attn=attention()))
    assert not can_take_apart(nn.Linear(8, 8))
    assert not can_take_apart(standard(attn=nn.Linear(8, 8)))
    assert not can_take_apart(standard(ln_1_kv=nn.LayerNorm(8)))
    for options in ({"bias": False}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"batch_first": False}):
        assert not can_take_apart(standard(attn=attention(**options))), options
    assert not can_take_apart(standard(attn=attention(kdim=4, vdim=4)))
    assert not can_take_apart(ResidualAttentionBlock(8, 2, is_cross_attention=True))
