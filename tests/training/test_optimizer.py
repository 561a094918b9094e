"""The optimisers, step by step by hand: what decays, what gathers momentum, and what is left alone."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from dapt.config import make_config
from dapt.errors import ConfigError, NotSupportedError
from dapt.training.optimizer import check_optimizer, make_optimizer


def made(parameters: list[nn.Parameter], **changes: Any) -> torch.optim.Optimizer:
    """As a run makes it."""
    config = make_config({"data": "-", "method": "maple", "lr": 0.1, **changes})
    return make_optimizer(
        parameters,
        config.optimizer,
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        adam_eps=config.adam_eps,
    )


def one(*values: float, grad: float | None = None) -> nn.Parameter:
    parameter = nn.Parameter(torch.tensor(values))
    parameter.grad = None if grad is None else torch.full_like(parameter, grad)
    return parameter


def stepped(optimizer: torch.optim.Optimizer, parameter: nn.Parameter, gradients: list[float]) -> list[float]:
    found = []
    for gradient in gradients:
        parameter.grad = torch.full_like(parameter, gradient)
        optimizer.step()
        found.append(float(parameter.detach()[0]))
    return found


@pytest.mark.parametrize("decay", [0.0, 0.01, 0.2])
def test_adamw_decays_apart_from_the_gradient(decay: float) -> None:
    """Without a gradient the decay alone acts: by ``lr * decay`` of the parameter, not of its Adam step."""
    parameter = one(2.0)
    optimizer = made([parameter], optimizer="adamw", weight_decay=decay)
    assert type(optimizer) is torch.optim.AdamW
    assert stepped(optimizer, parameter, [0.0, 0.0]) == pytest.approx(
        [2.0 * (1 - 0.1 * decay), 2.0 * (1 - 0.1 * decay) ** 2]
    )


def test_adamw_moves_by_the_rate_at_first() -> None:
    parameter = one(2.0)
    optimizer = made([parameter], optimizer="adamw", weight_decay=0.01)
    m = v = 0.0
    x = 2.0
    expected = []
    for step, gradient in enumerate((3.0, -1.0, 0.5), start=1):
        x *= 1 - 0.1 * 0.01
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        x -= 0.1 * (m / (1 - 0.9**step)) / (math.sqrt(v / (1 - 0.999**step)) + 1e-8)
        expected.append(x)
    assert stepped(optimizer, parameter, [3.0, -1.0, 0.5]) == pytest.approx(expected, rel=1e-5)
    assert expected[0] == pytest.approx(2.0 * 0.999 - 0.1, abs=1e-6)


@pytest.mark.parametrize(("momentum", "decay"), [(0.9, 5e-4), (0.9, 0.0), (0.0, 0.1), (0.5, 0.3)])
def test_sgd_with_momentum_and_coupled_decay(momentum: float, decay: float) -> None:
    """No dampening, no Nesterov: ``v = momentum v + g + decay x``, ``x -= lr v``."""
    parameter = one(2.0)
    optimizer = made([parameter], optimizer="sgd", momentum=momentum, weight_decay=decay)
    assert type(optimizer) is torch.optim.SGD
    x, velocity, expected = 2.0, 0.0, []
    for gradient in (3.0, -1.0, 0.5):
        velocity = momentum * velocity + gradient + decay * x
        x -= 0.1 * velocity
        expected.append(x)
    assert stepped(optimizer, parameter, [3.0, -1.0, 0.5]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_everything_trained_decays_alike(name: str) -> None:
    """Prompts, weights and biases; what is not trained does not."""
    vector, matrix, frozen = one(1.0, grad=0.0), nn.Parameter(torch.ones(2, 2)), one(1.0, grad=0.0)
    matrix.grad = torch.zeros(2, 2)
    frozen.requires_grad_(False)
    optimizer = made([vector, matrix, frozen], optimizer=name, weight_decay=0.5)
    optimizer.step()
    assert float(vector.detach()[0]) == pytest.approx(0.95)
    assert matrix.detach().flatten().tolist() == pytest.approx([0.95] * 4)
    assert frozen.tolist() == [1.0]
    assert [len(group["params"]) for group in optimizer.param_groups] == [2]


def test_rates_and_decay_that_are_not_given() -> None:
    group = make_optimizer([one(1.0)], lr=0.003).param_groups[0]
    assert (group["lr"], group["weight_decay"], group["momentum"]) == (0.003, 5e-4, 0.9)
    assert (group["nesterov"], group["dampening"]) == (False, 0)
    assert made([one(1.0)], lr=0.25).param_groups[0]["lr"] == 0.25


@pytest.mark.parametrize("eps", [None, 1e-4, 0.5])
def test_adam_adds_its_decay_to_the_gradient(eps: float | None) -> None:
    parameter = one(2.0)
    changes = {} if eps is None else {"adam_eps": eps}
    optimizer = made([parameter], optimizer="adam", weight_decay=0.1, **changes)
    assert type(optimizer) is torch.optim.Adam
    m = v = 0.0
    x, expected = 2.0, []
    for step, gradient in enumerate((3.0, -1.0, 0.5), start=1):
        whole = gradient + 0.1 * x
        m, v = 0.9 * m + 0.1 * whole, 0.999 * v + 0.001 * whole**2
        x -= 0.1 * (m / (1 - 0.9**step)) / (math.sqrt(v / (1 - 0.999**step)) + (1e-8 if eps is None else eps))
        expected.append(x)
    assert stepped(optimizer, parameter, [3.0, -1.0, 0.5]) == pytest.approx(expected, rel=1e-5)


def test_eps_is_the_methods_own_unless_said() -> None:
    def eps(**changes: Any) -> float | None:
        return make_config({"data": "-", **changes}).adam_eps

    assert eps(method="prolip") == 1e-4
    assert eps(method="prolip", adam_eps=1e-6) == 1e-6
    assert eps(method="prolip", optimizer="sgd") is None
    assert eps(method="maple") is None
    optimizer = made([one(1.0)], optimizer="adamw", adam_eps=0.25)
    assert optimizer.param_groups[0]["eps"] == 0.25
    assert eps(method="prolip", optimizer="muon") is None
    for name in ("sgd", "lion", "muon"):
        with pytest.raises(ConfigError, match=f"adam_eps belongs to adam and adamw, and this run uses {name}"):
            eps(method="maple", adam_eps=1e-4, optimizer=name)


def test_lion_moves_by_the_sign_of_its_momentum() -> None:
    """Momentum of 0.9 for the direction and of 0.99 for what is remembered; the decay is apart from them."""
    parameter = one(2.0)
    optimizer = made([parameter], optimizer="lion", weight_decay=0.5)
    x, memory, expected = 2.0, 0.0, []
    for gradient in (3.0, -1.0, -40.0):
        direction = 0.9 * memory + 0.1 * gradient
        x = x * (1 - 0.1 * 0.5) - 0.1 * math.copysign(1.0, direction)
        memory = 0.99 * memory + 0.01 * gradient
        expected.append(x)
    assert stepped(optimizer, parameter, [3.0, -1.0, -40.0]) == pytest.approx(expected, rel=1e-5)


def test_muon_moves_matrices_along_orthogonal_ones() -> None:
    """Whatever the gradient, all singular values of a step are about 0.2 * rate * sqrt(longer side), as AdamW's."""
    generator = torch.Generator().manual_seed(0)
    matrix = nn.Parameter(torch.zeros(2, 64))
    matrix.grad = torch.randn(2, 64, generator=generator) * torch.tensor([[100.0], [0.5]])
    made([matrix], optimizer="muon", weight_decay=0.0).step()
    values = torch.linalg.svdvals(matrix.detach())
    assert values.tolist() == pytest.approx([0.2 * 0.1 * 8] * 2, rel=0.3)


def test_muon_moves_the_rest_as_adamw_does() -> None:
    """Vectors, single rows and stacks of matrices: the first step is the rate, whatever the gradient."""
    rest = [one(2.0, 2.0, grad=7.0), nn.Parameter(torch.full((1, 4), 2.0)), nn.Parameter(torch.full((2, 3, 4), 2.0))]
    for parameter in rest[1:]:
        parameter.grad = torch.full_like(parameter, 0.01)
    frozen = one(1.0, grad=1.0)
    frozen.requires_grad_(False)
    optimizer = made([*rest, frozen], optimizer="muon", weight_decay=0.5)
    optimizer.step()
    for parameter in rest:
        assert parameter.detach().flatten().tolist() == pytest.approx([2 * (1 - 0.05) - 0.1] * parameter.numel(), 1e-4)
    assert frozen.tolist() == [1.0]


@pytest.mark.parametrize(("kind", "version"), [("lion", "0.9"), ("muon", "1.0.21")])
def test_a_timm_without_it_is_told(kind: Any, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_optimizer(kind)
    monkeypatch.setattr("dapt.training.optimizer.importlib.import_module", lambda name: object())
    with pytest.raises(NotSupportedError, match=f"The optimiser {kind} is part of timm {version} and later"):
        check_optimizer(kind)
    check_optimizer("sgd")


def test_rates_that_are_too_large_are_refused() -> None:
    for name in ("adam", "lion", "muon"):
        with pytest.raises(ConfigError, match=f"beyond 1e\\+30 is too large for {name}"):
            make_config({"data": "-", "method": "coop", "optimizer": name, "lr": 1e31})
    with pytest.raises(ConfigError, match=r"beyond 1e\+38 is too large for sgd"):
        make_config({"data": "-", "method": "coop", "lr": 1e38, "batch_size": 128, "lr_rule": "sqrt"})
