"""The objectives of a model as one loss: sums, groups and rules, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import dapt
from dapt.data.batch import Batch
from dapt.errors import ConfigError
from dapt.model.needs import Needs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term
from dapt.objectives.criterion import Criterion, needs_of, only, rule_of, ruled, terms_of
from dapt.objectives.gradients import ProjectAway
from helpers import tiny_clip


class Sum(Objective):
    """The sum of the class logits of the full view, as one term."""

    def __init__(self, name: str = "sum", weight: float = 1.0, group: str = "main") -> None:
        self.name, self.weight, self.group = name, weight, group

    def needs(self, epoch, epochs):
        return Needs({"full": False}, {"classes": True})

    def terms(self, outputs, batch, epoch, epochs):
        return {self.name: Term(outputs.logits("full").sum(), self.weight, self.group)}


@pytest.fixture
def model() -> PromptedClip:
    return dapt.create_model(tiny_clip(), "coop", ["cat", "dog"], n_ctx=2)


@pytest.fixture
def batch() -> Batch:
    return Batch(torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1]))


def test_terms_and_needs_of_all_objectives(model: PromptedClip, batch: Batch) -> None:
    objectives = [Sum("a"), Sum("b", 3.0)]
    assert needs_of(objectives, 0, 1) == Needs({"full": False}, {"classes": True})
    assert needs_of([], 0, 1) == Needs()
    terms, outputs = terms_of(model, objectives, batch, 0, 1)
    expected = float(model.eval()(batch.pixels).sum())
    assert {name: float(term.value.detach()) for name, term in terms.items()} == pytest.approx(
        {"a": expected, "b": expected}, rel=1e-4
    )
    assert not outputs.image["full"].requires_grad
    with pytest.raises(ConfigError, match="Two objectives bring a loss term 'a': Sum and Sum"):
        terms_of(model, [Sum("a"), Sum("a")], batch, 0, 1)


def test_the_only_one() -> None:
    assert only([], "a thing") is None
    assert only([(Sum(), 3)], "a thing") == 3
    with pytest.raises(ConfigError, match="Two objectives bring a thing: Sum and Sum"):
        only([(Sum(), 3), (Sum(), 4)], "a thing")
    assert rule_of([Sum()]) is None


def test_objectives_are_made_once_for_each_set_of_classes(model: PromptedClip, batch: Batch) -> None:
    made: list[list[str]] = []

    def make(now: PromptedClip) -> list[Objective]:
        made.append(list(now.names))
        return [Sum()]

    criterion = Criterion(make, [Sum("more", 0.5)])
    assert made == [], "they are made when they are needed"
    loss, terms = criterion(model, batch, 0, 1)
    criterion(model, batch, 0, 1)
    assert made == [["cat", "dog"]]
    assert float(loss.detach()) == pytest.approx(1.5 * float(terms["sum"]), rel=1e-5)
    assert set(terms) == {"sum", "more"}
    assert not any(value.requires_grad for value in terms.values())
    model.set_classes(["one", "two", "three"])
    criterion(model, batch, 0, 1)
    assert made == [["cat", "dog"], ["one", "two", "three"]]


def test_helpers_are_those_of_the_objectives_that_stay() -> None:
    helped = Sum("more")
    helped.helper = nn.Linear(2, 1)
    assert list(Criterion(lambda model: [], [helped, Sum()]).helpers) == [helped.helper]


def test_a_rule_decides_the_gradient_and_leaves_the_value() -> None:
    x, y = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor([5.0]))
    # gradients for x: main (1, 1), general (-1, 0): they disagree, so the part along (1, 0) is taken away
    main, general = x.sum() + 2 * y.sum(), -x[0]
    loss = ruled(main + general, ProjectAway("general"), {"main": main, "general": general}, [x, y])
    assert float(loss.detach()) == pytest.approx(3 + 10 - 1)
    (3 * loss).backward()
    assert x.grad.tolist() == [0.0, 3.0]
    assert y.grad.tolist() == [6.0], "of y the general terms know nothing"


def test_a_rule_within_a_model(model: PromptedClip, batch: Batch) -> None:
    main, general = Sum("main"), Sum("general", -1.0, "general")
    general.gradient_rule = ProjectAway("general")
    loss, _ = Criterion(lambda now: [main, general])(model, batch, 0, 1)
    loss.backward()
    gradients = [part.grad for part in model.prompts.parameters()]
    assert gradients
    # the general gradient is the main one turned round, so nothing of the main one is left
    plain, _ = Criterion(lambda now: [Sum("main")])(model, batch, 0, 1)
    scale = max(float(part.abs().max()) for part in torch.autograd.grad(plain, list(model.prompts.parameters())))
    assert max(float(part.abs().max()) for part in gradients) < 1e-4 * scale
    with torch.no_grad():
        assert not Criterion(lambda now: [main, general])(model, batch, 0, 1)[0].requires_grad
