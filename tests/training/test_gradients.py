"""ProGrad's rule on gradients that are known."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dapt.training.gradients import ProjectAway, backward_by_rule

# no tiny numbers: the length of a vector of them is 0 in float32
NUMBERS = st.lists(st.integers(-100, 100).map(lambda tenths: tenths / 10), min_size=3, max_size=3)


def combined(a: list[float], b: list[float], strength: float = 1.0) -> torch.Tensor:
    rule = ProjectAway("general", strength)
    return rule.combine({"main": [torch.tensor(a)], "general": [torch.tensor(b)]})[0]


def test_by_hand() -> None:
    assert combined([1.0, -1.0, 0.0], [0.0, 2.0, 0.0]).tolist() == [1.0, 0.0, 0.0]
    assert combined([1.0, -1.0, 0.0], [0.0, 2.0, 0.0], 0.5).tolist() == [1.0, -0.5, 0.0]
    assert combined([1.0, 1.0, 0.0], [0.0, 2.0, 0.0]).tolist() == [1.0, 1.0, 0.0]


@given(NUMBERS, NUMBERS)
def test_never_against_the_general_direction(a: list[float], b: list[float]) -> None:
    found = combined(a, b)
    general = torch.tensor(b)
    assert torch.isfinite(found).all()
    assert float(found @ general) >= -1e-4 * float(general.norm()) * (1 + float(torch.tensor(a).norm()))
    if float(torch.tensor(a) @ general) >= 0:
        assert torch.equal(found, torch.tensor(a))


def test_a_general_gradient_of_zero_changes_nothing() -> None:
    assert combined([1.0, -2.0, 3.0], [0.0, 0.0, 0.0]).tolist() == [1.0, -2.0, 3.0]


def test_each_parameter_on_its_own_and_other_groups_added_up() -> None:
    first, second = nn.Parameter(torch.tensor([1.0])), nn.Parameter(torch.tensor([1.0]))
    groups = {"main": 2 * first.sum() + second.sum(), "more": first.sum(), "general": -first.sum() + second.sum()}
    backward_by_rule(ProjectAway("general"), groups, [first, second])
    assert first.grad.tolist() == [0.0]  # 3 against -1: all of it contradicts
    assert second.grad.tolist() == [1.0]


def test_the_mean_over_processes_comes_before_the_rule() -> None:
    parameter = nn.Parameter(torch.tensor([1.0]))
    groups = {"main": parameter.sum(), "general": parameter.sum()}
    backward_by_rule(ProjectAway("general"), groups, [parameter], reduce=lambda gradient: -gradient)
    assert parameter.grad.tolist() == pytest.approx([-1.0])
