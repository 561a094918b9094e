"""Linear layers with frozen weights: torch's own products and gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from dapt.clip.linear import frozen_linear, multiply


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_products(onednn, kind):
    x = torch.arange(12, dtype=kind).view(2, 2, 3)
    weight = torch.tensor([[1, 0, 2], [0, -1, 1]], dtype=kind)
    bias = torch.tensor([10, 20], dtype=kind)
    expected = [[[14, 21], [23, 21]], [[32, 21], [41, 21]]]
    assert multiply(x, weight, bias, onednn=onednn).tolist() == expected
    assert multiply(x, weight, None, onednn=onednn)[0, 0].tolist() == [4, 1]
    turned = weight.t().contiguous().t()  # a view, as in backward
    assert multiply(x, turned, bias, onednn=onednn).tolist() == expected


@pytest.mark.parametrize("onednn", [True, False])
def test_no_rows_at_all(onednn):
    found = frozen_linear(torch.empty(0, 3, requires_grad=True), torch.ones(2, 3), torch.ones(2), onednn=onednn)
    assert found.shape == (0, 2)
    found.sum().backward()


@pytest.mark.parametrize("onednn", [True, False])
def test_gradient_of_the_input_alone(onednn):
    torch.manual_seed(0)
    x = torch.randn(4, 5, 3, requires_grad=True)
    weight, bias = torch.randn(2, 3), torch.randn(2, requires_grad=True)
    way = torch.randn(4, 5, 2)
    frozen_linear(x, weight, bias, onednn=onednn).backward(way)
    assert torch.allclose(x.grad, way @ weight, atol=1e-6)
    assert bias.grad is None


def test_a_weight_with_a_trained_update_gets_its_gradient():
    torch.manual_seed(0)
    x, weight = torch.randn(4, 3), torch.randn(2, 3, requires_grad=True)
    frozen_linear(x, weight, None).sum().backward()
    assert torch.allclose(weight.grad, x.sum(dim=0).expand(2, 3), atol=1e-6)
    assert torch.equal(frozen_linear(x, weight, None), F.linear(x, weight))
