"""The contract of objectives: terms are added up by weight, in groups where a rule wants them, and what is usual."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dapt.model.needs import Needs
from dapt.objectives.base import Objective, Term, by_group, sum_up, total


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def test_terms_by_weight_and_group() -> None:
    one, two, three = number(1.0), number(2.0), number(4.0)
    terms = {"a": Term(one, 0.5), "b": Term(two, 3.0, "general"), "c": Term(three, 0.25)}
    assert total(terms).item() == 0.5 + 6 + 1
    groups = by_group(terms)
    assert {name: value.item() for name, value in groups.items()} == {"main": 1.5, "general": 6}
    total(terms).backward()
    assert [part.grad.item() for part in (one, two, three)] == [0.5, 3, 0.25]


def test_one_value_is_its_own_sum() -> None:
    value = number(3.0)
    assert sum_up([value]) is value
    with pytest.raises(IndexError):
        sum_up([])


def test_what_is_usual_for_an_objective() -> None:
    class Plain(Objective):
        """The required parts alone."""

        def needs(self, epoch: int, epochs: int) -> Needs:
            return Needs()

        def terms(self, outputs: Any, batch: Any, epoch: int, epochs: int) -> dict[str, Term]:
            return {}

    made = Plain.build(None, None)  # type: ignore[arg-type]
    assert isinstance(made, Plain)
    assert made.epoch_weights(7) is None
    assert (made.gradient_rule, made.helper) == (None, None)
    assert not any((made.multi_label, made.weighted, made.extra_columns))
    with pytest.raises(TypeError, match="abstract"):
        Objective()  # type: ignore[abstract]
