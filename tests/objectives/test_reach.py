"""Which features each term of DAPT teaches: directly, with every feature a leaf of its own."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dapt.config import DaptOptions
from dapt.data.batch import Batch
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FULL, Needs, Outputs, Trainable
from dapt.objectives.classification import Classification
from dapt.objectives.disentangle import Disentangle

EVERYTHING = Trainable(class_texts=True, background_texts=True, image=True)
LABELS = torch.tensor([2, 0, 1, 1])
SPLIT = torch.ones(4, 1, 4, 4)
SPLIT[..., :2] = 0.0
PARTS = ("image full", "image foreground", "image background", "text classes", "text background")
REACH = {
    "L_cls": {"image full", "text classes"},
    "L_v": {"image full"},
    "L_f": {"text classes"},
    "L_b": {"image background", "text background"},
}


def leaves() -> tuple[dict[str, Tensor], Outputs]:
    """Features that all ask for a gradient, as if nothing had been detached on the way."""
    generator = torch.Generator().manual_seed(3)
    image = {
        name: F.normalize(torch.randn(4, 8, generator=generator)).requires_grad_()
        for name in (FULL, FOREGROUND, BACKGROUND)
    }
    text = {
        name: F.normalize(torch.randn(count, 8, generator=generator)).requires_grad_()
        for name, count in ((CLASSES, 3), (BACKGROUND, 5))
    }
    named = {f"image {name}": value for name, value in image.items()}
    named |= {f"text {name}": value for name, value in text.items()}
    return named, Outputs(image, text, torch.tensor(10.0))


def terms(outputs: Outputs, epoch: int, epochs: int, batch: Batch | None = None, **options: Any) -> dict[str, Tensor]:
    batch = batch or Batch(torch.zeros(4, 3, 4, 4), LABELS, SPLIT)
    dapt = Disentangle(DaptOptions(**options), EVERYTHING)
    found = {**Classification().terms(outputs, batch, epoch, epochs), **dapt.terms(outputs, batch, epoch, epochs)}
    return {name: term.value for name, term in found.items()}


def reached(value: Tensor, named: dict[str, Tensor]) -> set[str]:
    found = torch.autograd.grad(value, list(named.values()), allow_unused=True, retain_graph=True)
    return {name for name, part in zip(named, found, strict=True) if part is not None and part.abs().max() > 0}


@pytest.mark.parametrize(
    ("variant", "epoch", "expected"),
    [
        ("joint", 0, {"L_cls", "L_v", "L_f", "L_b"}),
        ("joint", 9, {"L_cls", "L_v", "L_f", "L_b"}),
        ("phased", 0, {"L_cls", "L_v"}),
        ("phased", 6, {"L_cls", "L_v"}),
        ("phased", 7, {"L_cls", "L_f", "L_b"}),
    ],
)
def test_each_term_teaches_its_own_features_only(variant: str, epoch: int, expected: set[str]) -> None:
    named, outputs = leaves()
    found = terms(outputs, epoch, 10, variant=variant, margin=5.0)
    assert set(found) == expected
    for name, value in found.items():
        assert float(value.detach()) > 0, name
        assert reached(value, named) == REACH[name], name


def test_every_image_of_the_batch_is_taught() -> None:
    named, outputs = leaves()
    for name, value in terms(outputs, 0, 10, variant="joint", margin=5.0).items():
        for part in REACH[name]:
            if part.startswith("image"):
                (gradient,) = torch.autograd.grad(value, [named[part]], retain_graph=True)
                assert (gradient.abs().amax(dim=1) > 0).all(), (name, part)


@pytest.mark.parametrize("variant", ["joint", "phased"])
def test_the_foreground_term_may_teach_the_image_side(variant: str) -> None:
    named, outputs = leaves()
    found = terms(outputs, 9, 10, variant=variant, foreground_gradient=True)
    assert reached(found["L_f"], named) == {"text classes", "image foreground"}
    assert reached(found["L_b"], named) == REACH["L_b"]


def test_the_gate_changes_no_reach() -> None:
    named, outputs = leaves()
    for name, value in terms(outputs, 0, 10, variant="joint", gate=True, margin=5.0).items():
        assert reached(value, named) == REACH.get(name, set()), name


def test_the_pull_and_push_in_numbers() -> None:
    """Two images: the first beyond the margin, the second within it; 1e-6 is added to differences, as published."""
    full = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    image = {
        FULL: full,
        FOREGROUND: torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
        BACKGROUND: torch.tensor([[-1.0, 0.0], [0.6, 0.8]]),
    }
    outputs = Outputs(image, {}, torch.tensor(10.0))
    batch = Batch(torch.zeros(2, 3, 2, 2), torch.tensor([0, 0]), torch.ones(2, 1, 2, 2))
    only = {"foreground_weight": 0.0, "background_weight": 0.0}
    dapt = Disentangle(DaptOptions(variant="joint", margin=1.5, **only), EVERYTHING)
    value = dapt.terms(outputs, batch, 0, 10)["L_v"].value
    second = math.sqrt(2.0) - math.sqrt(0.16 + 0.64) + 1.5
    assert float(value.detach()) == pytest.approx(second / 2, abs=1e-5)  # the first: 0 - 2 + 1.5 is below 0
    value.backward()
    assert full.grad[0].abs().max() == 0
    # towards its foreground, away from its background
    pull = torch.tensor([1.0, -1.0]) / math.sqrt(2.0)
    push = torch.tensor([0.4, -0.8]) / math.sqrt(0.8)
    assert torch.allclose(full.grad[1], (pull - push) / 2, atol=1e-4)


def test_the_background_is_told_its_nearest_word() -> None:
    named, outputs = leaves()
    value = terms(outputs, 0, 10, variant="joint")["L_b"]
    logits = 10.0 * named["image background"] @ named["text background"].t()
    assert torch.allclose(value, -logits.log_softmax(dim=1).max(dim=1).values.mean())


def test_losses_are_plain_cross_entropies() -> None:
    """No smoothing of labels, a mean over the batch, the model's scale."""
    named, outputs = leaves()
    found = terms(outputs, 0, 10, variant="joint")
    for name, view in (("L_cls", "image full"), ("L_f", "image foreground")):
        logits = 10.0 * named[view].detach() @ named["text classes"].detach().t()
        each = [float(torch.logsumexp(row, 0) - row[label]) for row, label in zip(logits, LABELS, strict=True)]
        assert float(found[name].detach()) == pytest.approx(sum(each) / 4, rel=1e-5)


def test_what_a_phase_does_not_read_is_not_asked_for() -> None:
    joint = Disentangle(DaptOptions(variant="joint"), EVERYTHING)
    assert joint.needs(0, 10) == Needs(
        {FULL: True, FOREGROUND: False, BACKGROUND: True}, {CLASSES: True, BACKGROUND: True}
    )
    taught = Disentangle(DaptOptions(variant="joint", foreground_gradient=True), EVERYTHING)
    assert taught.needs(0, 10).views[FOREGROUND] is True
    gated = Disentangle(DaptOptions(variant="phased", gate=True), EVERYTHING)
    assert gated.needs(0, 10) == Needs({FULL: True, FOREGROUND: False, BACKGROUND: False}, {CLASSES: False})
    assert gated.needs(7, 10).views == {FULL: False, FOREGROUND: False, BACKGROUND: True}


@pytest.mark.parametrize("switch", ["0.7", "0.1", "0.2", "0.3", "0.35", "0.5", "0.55", "0.6", "0.9", "0", "1"])
def test_the_switch_is_exact_for_every_length(switch: str) -> None:
    """ceil(switch * epochs) of the decimal number that was written, not of its nearest binary fraction."""
    dapt = Disentangle(DaptOptions(variant="phased", switch=float(switch)), EVERYTHING)
    for epochs in range(1, 301):
        first = math.ceil(Fraction(switch) * epochs)
        assert dapt.switch_epoch(epochs) == first, epochs
        if first:
            assert set(dapt.active(first - 1, epochs)) == {"L_v"}
        if first < epochs:
            assert set(dapt.active(first, epochs)) == {"L_f", "L_b"}


def test_where_binary_fractions_would_switch_an_epoch_late() -> None:
    """Products that come out a little above a whole number; without any of them the test above would say nothing."""
    late = [
        (switch, epochs)
        for switch in (0.1, 0.55, 0.7)
        for epochs in range(1, 301)
        if math.ceil(switch * epochs) != math.ceil(Fraction(str(switch)) * epochs)
    ]
    assert late


@pytest.mark.parametrize(("epochs", "first"), [(1, 1), (2, 2), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7), (50, 35)])
def test_the_published_switch(epochs: int, first: int) -> None:
    """Released: epoch index above 6 of 10, that is 7 epochs of L_v and 3 of the others."""
    assert Disentangle(DaptOptions(), EVERYTHING).switch_epoch(epochs) == first
