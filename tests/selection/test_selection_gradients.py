"""Gradients in factored form equal those that autograd makes whole."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from dapt.selection.gradients import GradientFactors


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Weights of a linear layer, features and labels."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    return weight, torch.randn(5, 4, generator=generator, dtype=torch.float64), torch.tensor([0, 1, 2, 2, 0])


def whole() -> torch.Tensor:
    """Of each image the gradient by bias and weight, as one row."""
    weight, features, labels = example()
    rows = []
    for feature, label in zip(features, labels, strict=True):
        own, bias = weight.clone().requires_grad_(), torch.zeros(3, dtype=torch.float64, requires_grad=True)
        loss = F.cross_entropy((feature @ own.t() + bias)[None], label[None])
        rows.append(torch.cat([part.flatten() for part in torch.autograd.grad(loss, [bias, own])]))
    return torch.stack(rows)


def test_products_norms_cosines_and_distances() -> None:
    weight, features, labels = example()
    factors, rows = GradientFactors.of(features @ weight.t(), features, labels), whole()
    some, chosen = factors.rows(torch.tensor([3, 1])), rows[[3, 1]]
    assert (len(factors), len(some), len(factors.rows(slice(1, 3)))) == (5, 2, 2)
    assert torch.allclose(factors.products(some), rows @ chosen.t())
    assert torch.allclose(factors.squared_norms(), rows.square().sum(dim=1))
    assert torch.allclose(factors.cosines(some), F.cosine_similarity(rows[:, None], chosen[None], dim=2))
    assert torch.allclose(factors.distances(some), torch.cdist(rows, chosen), atol=1e-7)


def test_float64_whatever_comes_in() -> None:
    factors = GradientFactors.of(torch.zeros(1, 2).half(), torch.ones(1, 3).bfloat16(), torch.tensor([1]))
    assert factors.errors.dtype == factors.features.dtype == torch.float64
    assert factors.errors.tolist() == [[0.5, -0.5]]
    assert factors.squared_norms().tolist() == [0.5 * 4]


def test_a_gradient_of_zero() -> None:
    """A model that is certain and right: no direction, and no distance from itself."""
    factors = GradientFactors.of(torch.tensor([[2000.0, 0.0], [0.0, 0.0]]), torch.ones(2, 1), torch.tensor([0, 0]))
    assert factors.cosines(factors)[0].tolist() == [0, 0]
    assert torch.allclose(factors.cosines(factors)[1, 1], torch.ones(1, dtype=torch.float64))
    assert factors.distances(factors).diagonal().tolist() == [0, 0]
