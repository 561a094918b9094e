"""The objectives of a model as one loss, for training loops of any make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, TypeVar

import torch
from torch import Tensor, nn

from dapt.data.batch import Batch
from dapt.errors import ConfigError
from dapt.model.needs import Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term, by_group, total
from dapt.objectives.gradients import GradientRule, combined_gradients

T = TypeVar("T")
RULE = "a gradient rule"


def needs_of(objectives: Sequence[Objective], epoch: int, epochs: int) -> Needs:
    """Everything that the objectives read in an epoch."""
    needs = Needs()
    for objective in objectives:
        needs |= objective.needs(epoch, epochs)
    return needs


def terms_of(
    model: PromptedClip, objectives: Sequence[Objective], batch: Batch, epoch: int, epochs: int
) -> tuple[dict[str, Term], Outputs]:
    """The terms of a batch by name, and the features they were computed from.

    Raises:
        ConfigError: two objectives have a term of one name.
    """
    outputs = model.compute(batch, needs_of(objectives, epoch, epochs))
    terms: dict[str, Term] = {}
    owner: dict[str, Objective] = {}
    for objective in objectives:
        for name, term in objective.terms(outputs, batch, epoch, epochs).items():
            first = owner.setdefault(name, objective)
            if first is not objective:
                _refuse_two(first, objective, f"a loss term '{name}'")
            terms[name] = term
    return terms, outputs


def rule_of(objectives: Sequence[Objective]) -> GradientRule | None:
    """The rule that combines the gradients of groups of terms, or None.

    Raises:
        ConfigError: several objectives have one.
    """
    return only([(part, part.gradient_rule) for part in objectives if part.gradient_rule is not None], RULE)


def only(found: Sequence[tuple[Objective, T]], what: str) -> T | None:
    """What the only objective that has `what` gives, or None.

    Raises:
        ConfigError: several have it.
    """
    if len(found) > 1:
        _refuse_two(found[0][0], found[1][0], what)
    return found[0][1] if found else None


def _refuse_two(first: Objective, second: Objective, what: str) -> NoReturn:
    """Refuse two objectives of which one would silently do nothing.

    Raises:
        ConfigError: always.
    """
    names = [type(first).__name__, type(second).__name__]
    todo = "List one of them alone, or let them differ."
    if what == RULE and "Disentangle" in names:
        todo = "Leave dapt.conflict=project and dapt.balance=gradient out, or train another method" + (
            " than prograd." if "ZeroShotKnowledge" in names else "."
        )
    raise ConfigError(f"Two objectives bring {what}: {names[0]} and {names[1]}.", todo=todo)


class Criterion:
    """What a model's `loss` computes.

    Args:
        make: the method's objectives for the classes that a model has; made when they are first needed, and again
            when it has other classes, because they may keep features of class texts.
        more: objectives that do not depend on the classes, such as DAPT's.

    Attributes:
        helpers: modules that the objectives train beside the prompts.
    """

    def __init__(self, make: Callable[[PromptedClip], list[Objective]], more: Sequence[Objective] = ()) -> None:
        self._make = make
        self._more = list(more)
        self._made: tuple[list[str], list[Objective]] | None = None
        self.helpers: Sequence[nn.Module] = [part.helper for part in more if part.helper is not None]

    def objectives(self, model: PromptedClip) -> list[Objective]:
        """The objectives for the classes that `model` has now."""
        if self._made is None or self._made[0] != model.names:
            with torch.no_grad(), torch.autocast(model.clip.device.type, enabled=False):
                self._made = (list(model.names), self._make(model))
        return [*self._made[1], *self._more]

    def __call__(self, model: PromptedClip, batch: Batch, epoch: int, epochs: int) -> tuple[Tensor, dict[str, Tensor]]:
        objectives = self.objectives(model)
        terms, _ = terms_of(model, objectives, batch, epoch, epochs)
        loss = total(terms)
        rule = rule_of(objectives)
        if rule is not None and loss.requires_grad:
            loss = ruled(loss, rule, by_group(terms), [part for part in model.parameters() if part.requires_grad])
        return loss, {name: term.value.detach() for name, term in terms.items()}


def ruled(loss: Tensor, rule: GradientRule, groups: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]) -> Tensor:
    """`loss`, whose backward gives every parameter the gradient that `rule` makes of those of the groups."""
    gradients = combined_gradients(rule, groups, parameters)
    steering = sum(
        ((part * value).sum() for part, value in zip(parameters, gradients, strict=True)), loss.new_zeros(())
    )
    return loss.detach() + (steering - steering.detach())
