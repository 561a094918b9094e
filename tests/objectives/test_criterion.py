"""The objectives of a model as one loss: terms joined, gradients by rule, and two of a kind refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from dapt.errors import ConfigError
from dapt.model.needs import Needs
from dapt.objectives.base import Objective, Term
from dapt.objectives.criterion import Criterion, needs_of, only, rule_of, terms_of
from dapt.objectives.gradients import ProjectAway


class Given(Objective):
    """An objective with known terms: functions of the one parameter."""

    def __init__(self, view: str = "full", rule: ProjectAway | None = None, **terms: Any) -> None:
        self.view, self.given, self.gradient_rule = view, terms, rule

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs({self.view: epoch > 0})

    def terms(self, outputs: Any, batch: Any, epoch: int, epochs: int) -> dict[str, Term]:
        return {name: Term(value(outputs), weight, group) for name, (value, weight, group) in self.given.items()}


class Other(Given):
    """Another kind."""


class Model(nn.Module):
    """A model of two numbers, whose outputs they are."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = nn.Parameter(torch.tensor([2.0, 3.0]))
        self.names = ["a", "b"]
        self.clip = SimpleNamespace(device=torch.device("cpu"))
        self.asked: list[Needs] = []

    def compute(self, batch: Any, needs: Needs) -> torch.Tensor:
        self.asked.append(needs)
        return self.numbers


def first(numbers: torch.Tensor) -> torch.Tensor:
    return numbers[0] ** 2


def both(numbers: torch.Tensor) -> torch.Tensor:
    return numbers[1] - numbers[0]


def test_needs_and_terms_of_all() -> None:
    model, parts = Model(), [Given(x=(first, 2.0, "main")), Other("foreground", y=(both, 1.0, "main"))]
    assert needs_of(parts, 1, 2) == Needs({"full": True, "foreground": True})
    assert needs_of([], 0, 1) == Needs()
    terms, outputs = terms_of(model, parts, None, 0, 2)  # type: ignore[arg-type]
    assert {name: term.value.item() for name, term in terms.items()} == {"x": 4, "y": 1}
    assert outputs is model.numbers
    assert model.asked == [Needs({"full": False, "foreground": False})]


def test_two_of_a_kind_are_refused() -> None:
    parts = [Given(x=(first, 1.0, "main")), Other(x=(both, 1.0, "main"))]
    with pytest.raises(ConfigError, match="Two objectives bring a loss term 'x': Given and Other"):
        terms_of(Model(), parts, None, 0, 1)  # type: ignore[arg-type]
    rule = ProjectAway("general")
    assert rule_of([Given()]) is None
    assert rule_of([Given(), Other(rule=rule)]) is rule
    with pytest.raises(ConfigError, match="bring a gradient rule: Given and Other"):
        rule_of([Given(rule=rule), Other(rule=rule)])
    assert only([], "x") is None


def test_a_loss_is_the_weighted_sum() -> None:
    model = Model()
    criterion = Criterion(lambda model: [Given(x=(first, 2.0, "main"))], [Other(y=(both, 1.0, "main"))])
    loss, values = criterion(model, None, 0, 1)  # type: ignore[arg-type]
    assert loss.item() == 2 * 4 + 1
    assert {name: value.item() for name, value in values.items()} == {"x": 4, "y": 1}
    assert not any(value.requires_grad for value in values.values())
    loss.backward()
    assert model.numbers.grad.tolist() == [2 * 4 - 1, 1]


def test_backward_gives_the_gradient_of_the_rule() -> None:
    """Main (4, 0) against general (-1, 1): the part along it, -4 / sqrt 2, is taken away: (2, 2)."""
    model = Model()
    part = Given(rule=ProjectAway("general"), x=(first, 1.0, "main"), y=(both, 1.0, "general"))
    loss, _ = Criterion(lambda model: [part])(model, None, 0, 1)  # type: ignore[arg-type]
    assert loss.item() == 4 + 1
    loss.backward()
    assert torch.allclose(model.numbers.grad, torch.tensor([2.0, 2.0]))


def test_objectives_are_made_again_for_other_classes() -> None:
    made: list[list[str]] = []
    criterion = Criterion(lambda model: made.append(model.names) or [Given()])  # type: ignore[func-returns-value]
    model: Any = Model()
    assert made == []
    assert criterion.objectives(model)[0] is criterion.objectives(model)[0]
    model.names = ["c"]
    criterion.objectives(model)
    assert made == [["a", "b"], ["c"]]


def test_two_rules_of_dapt_and_a_method_name_the_options_to_leave_out() -> None:
    both = [type(name, (), {"gradient_rule": object()})() for name in ("ZeroShotKnowledge", "Disentangle")]
    with pytest.raises(ConfigError, match=r"Leave dapt.conflict=project and dapt.balance=gradient out[\s\S]*prograd"):
        rule_of(both)
