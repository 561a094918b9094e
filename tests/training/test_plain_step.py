"""Figures of a step, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from dapt.data.batch import Batch
from dapt.model.needs import Outputs
from dapt.objectives.base import Term
from dapt.training.plain_step import PlainStep

PIXELS, LABELS = torch.zeros(4, 3, 2, 2), torch.tensor([0, 1, 2, 0])
LOGITS = torch.tensor([[9.0, 1, 2], [5, 3, 4], [1, 2, 9], [0, 7, 1]])  # their greatest: 0, 0, 2, 1


def step_with(terms: dict[str, Term], seen: list[Any]) -> Callable[..., Any]:
    """A training step of known logits and terms that remembers what it was given."""

    def step(batch: Batch, epoch: int, epochs: int) -> tuple[Any, ...]:
        seen.append((batch, epoch, epochs))
        return torch.tensor(1.5), terms, Outputs({"full": LOGITS}, {"classes": torch.eye(3)}, torch.tensor(1.0))

    return step


def test_figures_are_of_the_terms_before_weighting() -> None:
    value = torch.tensor(2.0, requires_grad=True)
    terms = {"L_a": Term(value, 3.0), "L_b": Term(torch.tensor(5.0), 0.5), "L_c": Term(value * 2, 1.0, "general")}
    seen: list[Any] = []
    plain = PlainStep(step_with(terms, seen), "sigmoid")
    masks, usable, weights = torch.ones(4, 1, 2, 2), torch.tensor([True] * 4), torch.ones(4)
    loss, groups, figures = plain(PIXELS, LABELS, masks, usable, None, weights, 3, 7)
    assert {name: float(each) for name, each in figures.items()} == {
        "L_a": 2.0,
        "L_b": 5.0,
        "L_c": 4.0,
        "train/accuracy": 50.0,
    }
    assert not any(each.requires_grad for each in figures.values())
    assert {name: each.item() for name, each in groups.items()} == {"main": 8.5, "general": 4.0}
    assert float(loss) == 1.5
    batch, epoch, epochs = seen[0]
    assert (epoch, epochs, batch.multi_label) == (3, 7, "sigmoid")
    assert batch.pixels is PIXELS
    assert (batch.masks is masks, batch.usable is usable, batch.weights is weights) == (True, True, True)


def test_of_several_classes_any_is_right() -> None:
    """The classes predicted are 0, 0, 2, 1; all but the third image show them, whatever their first class is."""
    targets = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 1, 0], [1, 1, 0]])
    plain = PlainStep(step_with({}, []), "softmax")
    assert float(plain(PIXELS, LABELS, None, None, targets, None, 0, 1)[2]["train/accuracy"]) == 75.0


def test_images_beyond_the_margin_are_counted() -> None:
    """The margins, of probabilities, are about 1, -0.85 and 1, and the last one about -1."""
    plain = PlainStep(step_with({}, []), "softmax", margin=0.5)
    assert float(plain(PIXELS, LABELS, None, None, None, None, 0, 1)[2]["train/beyond_margin"]) == 50.0
