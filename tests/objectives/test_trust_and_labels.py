"""What of a cue reaches DAPT's terms: trust weighs them, and a background that was told is what L_b aims at."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dapt.config import DaptOptions
from dapt.data.batch import Batch
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FULL, Outputs, Trainable
from dapt.objectives.disentangle import Disentangle, background_targets

TERMS = ("L_v", "L_f", "L_b")
COUNT = 4


def outputs(seed: int = 0) -> Outputs:
    """Random unit features of three views, three classes and five background texts."""
    generator = torch.Generator().manual_seed(seed)

    def unit(rows: int) -> torch.Tensor:
        return F.normalize(torch.randn(rows, 8, generator=generator))

    image = {view: unit(COUNT) for view in (FULL, FOREGROUND, BACKGROUND)}
    return Outputs(image, {CLASSES: unit(3), BACKGROUND: unit(5)}, torch.tensor(10.0))


def batch(**parts: torch.Tensor | None) -> Batch:
    masks = torch.zeros(COUNT, 1, 4, 4)
    masks[:, :, :2] = 1
    return Batch(torch.zeros(COUNT, 3, 4, 4), torch.tensor([0, 1, 2, 0]), masks, **parts)


def values(data: Batch, seed: int = 0, **options: object) -> dict[str, torch.Tensor]:
    everything = Trainable(class_texts=True, background_texts=True, image=True)
    dapt = Disentangle(DaptOptions(variant="joint", **options), everything)
    return {name: term.value for name, term in dapt.terms(outputs(seed), data, 0, 1).items()}


def alone(position: int) -> dict[str, torch.Tensor]:
    """The terms of one image of the batch, times the size of the batch."""
    only = torch.zeros(COUNT, dtype=torch.bool)
    only[position] = True
    return {name: COUNT * value for name, value in values(batch(usable=only)).items()}


def test_weights_by_hand() -> None:
    weights = torch.tensor([0.0, 0.5, 1.0, 2.5])
    found = values(batch(trust=weights))
    each = [alone(position) for position in range(COUNT)]
    for name in TERMS:
        expected = sum(float(weight) * float(one[name]) for weight, one in zip(weights, each, strict=True)) / COUNT
        assert float(found[name]) == pytest.approx(expected, rel=1e-5), name
        assert float(found[name]) != pytest.approx(float(values(batch())[name]), rel=1e-3), name


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), usable=st.lists(st.booleans(), min_size=COUNT, max_size=COUNT))
def test_weights_of_one_are_no_weights(seed: int, usable: list[bool]) -> None:
    data = batch(usable=torch.tensor(usable))
    plain, weighted = values(data, seed), values(replace(data, trust=torch.ones(COUNT)), seed)
    assert all(torch.equal(plain[name], weighted[name]) for name in TERMS)


def test_a_weight_of_zero_is_an_image_without_a_cue() -> None:
    zero = torch.tensor([1.0, 0.0, 1.0, 1.0])
    found, without = values(batch(trust=zero)), values(batch(usable=zero.bool()))
    assert all(torch.equal(found[name], without[name]) for name in TERMS)


def test_trust_and_gate_are_multiplied() -> None:
    weights = torch.tensor([0.5, 0.5, 0.5, 0.5])
    gated, both = values(batch(), gate=True), values(batch(trust=weights), gate=True)
    for name in TERMS:
        assert float(both[name].detach()) == pytest.approx(0.5 * float(gated[name].detach()), rel=1e-6), name
    assert torch.equal(both["L_gate"], gated["L_gate"])  # it learns from all views


def test_what_the_background_is_aimed_at() -> None:
    logits = torch.tensor([[1.0, 3, 2], [5, 1, 1], [0, 0, 4]])
    assert background_targets(logits, None).tolist() == [1, 0, 2]
    assert background_targets(logits, torch.tensor([2, -1, 0])).tolist() == [2, 0, 0]


def test_a_background_that_was_told() -> None:
    told = torch.tensor([3, -1, 0, -1])
    logits = outputs().logits(BACKGROUND, BACKGROUND)
    aims = torch.tensor([3, int(logits[1].argmax()), 0, int(logits[3].argmax())])
    found, nearest = values(batch(background=told)), values(batch())
    assert float(found["L_b"]) == pytest.approx(float(F.cross_entropy(logits, aims)), rel=1e-6)
    assert float(found["L_b"]) > float(nearest["L_b"])
    assert torch.equal(found["L_v"], nearest["L_v"])
    assert torch.equal(found["L_f"], nearest["L_f"])
    none = values(batch(background=torch.full((COUNT,), -1)))
    assert torch.equal(none["L_b"], nearest["L_b"])
