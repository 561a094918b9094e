"""The MLP of a block equals the module's own call, whatever it is made of."""

from __future__ import annotations

import pytest
import torch
from open_clip.transformer import QuickGELU
from torch import nn

from dapt.clip.gelu import run_mlp
from dapt.clip.savings import Savings


def mlp(activation: nn.Module, bias: bool = True, kind: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(3, 12, bias=bias), activation, nn.Linear(12, 3, bias=bias))
    return layers.to(kind).requires_grad_(False)


def both_ways(layers: nn.Module, use: Savings, kind: torch.dtype = torch.float32):
    """Outputs and input gradients: ours and the module's."""
    found = []
    for run in (lambda x: run_mlp(layers, x, use), layers):
        x = torch.linspace(-4, 4, 18, dtype=kind).view(2, 3, 3).requires_grad_()
        y = run(x)
        found.append((y.detach(), *torch.autograd.grad((y * torch.arange(18, dtype=kind).view(2, 3, 3)).sum(), x)))
    return found


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", [QuickGELU, nn.GELU, nn.ReLU])
def test_equals_the_module(activation, bias, fused):
    ours, plain = both_ways(mlp(activation(), bias), Savings(fused_gelu=fused))
    for a, b in zip(ours, plain, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_quick_gelu_by_hand():
    """One number through weights of 1 and biases of 0: x * sigmoid(1.702 x)."""
    layers = nn.Sequential(nn.Linear(1, 1), QuickGELU(), nn.Linear(1, 1)).requires_grad_(False)
    for layer in layers[::2]:
        layer.weight.fill_(1)
        layer.bias.fill_(0)
    x = torch.tensor([[0.0], [1.0], [-2.0]])
    expected = [0.0, 1 / (1 + 2.718281828**-1.702), -2 / (1 + 2.718281828**3.404)]
    assert run_mlp(layers, x, Savings()).flatten().tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("onednn", [True, False])
def test_gradient_in_double_precision(onednn):
    layers = mlp(QuickGELU(), kind=torch.float64)
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: run_mlp(layers, x, Savings(onednn=onednn)), x)


def test_layers_of_another_kind_are_called_whole():
    class Doubled(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x)

    torch.manual_seed(0)
    x = torch.randn(2, 3)
    wrapped = nn.Sequential(Doubled(3, 6), QuickGELU(), nn.Linear(6, 3))
    longer = nn.Sequential(nn.Linear(3, 6), QuickGELU(), nn.Dropout(0.0), nn.Linear(6, 3))
    for layers in (wrapped, longer, nn.Linear(3, 3)):
        assert torch.equal(run_mlp(layers, x, Savings()), layers(x))
