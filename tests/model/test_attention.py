"""The class token's attention in towers with one projection for queries, keys and values."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dapt.model.attention import class_attention, foreground_share


class Joined(nn.Module):
    """The parts of timm's attention that are read."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.num_heads = heads
        self.qkv = nn.Linear(width, 3 * width)


@pytest.mark.parametrize(("heads", "norms"), [(1, False), (2, False), (4, True)])
def test_softmax_weights_head_by_head(heads: int, norms: bool) -> None:
    torch.manual_seed(0)
    width, length = 8, 5
    attention = Joined(width, heads)
    if norms:
        attention.q_norm, attention.k_norm = nn.LayerNorm(width // heads), nn.LayerNorm(width // heads)
        attention.k_norm.weight.data.mul_(3)
    x = torch.randn(2, length, width)
    size = width // heads
    expected = torch.zeros(2, length)
    for image in range(2):
        projected = x[image] @ attention.qkv.weight.t() + attention.qkv.bias
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            query, keys = projected[0, :width][part], projected[:, width : 2 * width][:, part]
            if norms:
                query, keys = attention.q_norm(query), attention.k_norm(keys)
            expected[image] += (keys @ query / size**0.5).softmax(dim=0) / heads
    found = class_attention(attention, x)
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(found.sum(dim=1), torch.ones(2))


def test_half_precision_is_summed_in_float32() -> None:
    torch.manual_seed(0)
    attention, x = Joined(8, 2).bfloat16(), torch.randn(1, 3, 8).bfloat16()
    assert class_attention(attention, x).dtype == torch.float32


def test_masks_of_truth_values() -> None:
    mask = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    mask[..., :2] = True
    assert foreground_share(torch.tensor([[[0.3, 0.1], [0.2, 0.2]]]), mask).tolist() == pytest.approx([0.625])
