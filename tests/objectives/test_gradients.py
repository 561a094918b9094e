"""ProGrad's rule on gradients that are known."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dapt.objectives.gradients import ProjectAway, Tempered, backward_by_rule

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


def shared(parameter: nn.Parameter) -> dict[str, torch.Tensor]:
    """Two losses of one graph that keeps values: p^2 and p^4."""
    square = parameter**2
    return {"main": square.sum(), "general": (square * square).sum()}


def test_groups_share_one_graph_which_is_freed_with_the_last() -> None:
    parameter = nn.Parameter(torch.tensor([3.0]))
    groups = shared(parameter)
    backward_by_rule(ProjectAway("general"), groups, [parameter])
    assert parameter.grad.tolist() == [6.0]
    with pytest.raises(RuntimeError, match="second time"):
        groups["main"].backward()
    # a group without gradient is no reason to keep it
    loss = shared(parameter)["main"]
    backward_by_rule(ProjectAway("general"), {"other": torch.tensor(1.0), "main": loss}, [parameter])
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_gradients_of_the_step_before_are_replaced() -> None:
    parameter = nn.Parameter(torch.tensor([3.0]))
    for _ in range(2):
        backward_by_rule(ProjectAway("general"), shared(parameter), [parameter])
        assert parameter.grad.tolist() == [6.0]


def test_every_process_reduces_every_parameter_of_every_group() -> None:
    """One that leaves out what its loss does not reach would have the others wait."""
    first, second = nn.Parameter(torch.tensor([1.0])), nn.Parameter(torch.tensor([1.0, 2.0]))
    sizes: list[int] = []

    def reduce(gradient: torch.Tensor) -> torch.Tensor:
        sizes.append(gradient.numel())
        return gradient + 1

    groups = {"main": first.sum(), "general": second.sum()}
    backward_by_rule(ProjectAway("general"), groups, [first, second], reduce)
    assert sizes == [1, 2, 1, 2]
    assert (first.grad.tolist(), second.grad.tolist()) == ([2.0], [1.0, 1.0])


def tempered(main: list[float], more: list[float], *, share: float = 1.0, **how: bool) -> list[float]:
    rule = Tempered("main", balance=how.get("balance", False), project=how.get("project", False))
    rule.shares = {"more": share}
    return rule.combine({"main": [torch.tensor(main)], "more": [torch.tensor(more)]})[0].tolist()


def test_tempered_by_hand() -> None:
    assert tempered([3.0, 4.0], [0.0, 2.0]) == [3.0, 6.0]
    assert tempered([3.0, 4.0], [0.0, 2.0], balance=True, share=0.5) == [3.0, 6.5]
    assert tempered([0.0, 2.0], [1.0, -1.0], project=True) == [1.0, 2.0]
    assert tempered([0.0, 2.0], [3.0, -4.0], balance=True, project=True) == pytest.approx([1.2, 2.0])
    assert tempered([3.0, 4.0], [0.0, 0.0], balance=True) == [3.0, 4.0]


def test_tempered_sizes_are_of_all_parameters_together() -> None:
    rule = Tempered("main", balance=True, project=False)
    main, more = [torch.tensor([3.0]), torch.tensor([4.0])], [torch.tensor([0.0]), torch.tensor([1.0])]
    found = rule.combine({"main": main, "more": more})
    assert [part.tolist() for part in found] == [[3.0], [9.0]]


def test_tempered_without_a_main_gradient_adds_up() -> None:
    rule = Tempered("main", balance=True, project=True)
    groups = {"a": [torch.tensor([1.0])], "b": [torch.tensor([2.0])]}
    assert [part.tolist() for part in rule.combine(groups)] == [[3.0]]
