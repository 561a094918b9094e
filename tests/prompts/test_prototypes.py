"""Trained class features: they start at zero-shot, and are held near it by how sure the model was."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from dapt.errors import NotSupportedError
from dapt.methods.clap import ClapOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.prototypes import PrototypePrompts, own_class_probability
from helpers import tiny_clip

NAMES = ["cat", "dog", "cow"]


def build(clip, **options):
    return PrototypePrompts(ClapOptions(**options), clip, NAMES, torch.Generator())


def seen(clip, features: torch.Tensor, labels: list[int]) -> TrainingSet:
    def never(*_: object) -> torch.Tensor:
        raise AssertionError("not needed")

    return TrainingSet(clip, torch.tensor(labels), torch.tensor([]), never, lambda views: features, never, never)


def test_probability_of_the_own_class_by_hand() -> None:
    """Two images of class 0 with 1/2 and 3/4, one of class 2 with 1/4, none of class 1."""
    thirds = torch.tensor([[2.0, 1, 1], [6.0, 1, 1], [1.0, 2, 1]]).log()
    found = own_class_probability(thirds, torch.tensor([0, 0, 2]))
    assert torch.allclose(found, torch.tensor([(1 / 2 + 3 / 4) / 2, 0, 1 / 4]))


@pytest.mark.parametrize("constraint", [True, False])
def test_start_and_penalty(constraint: bool) -> None:
    clip = tiny_clip()
    made = build(clip, templates=["a {}.", "the {}"], constraint=constraint)
    features = torch.randn(4, 32, generator=torch.Generator().manual_seed(0))
    labels = [0, 1, 1, 2]
    made.prepare(seen(clip, features, labels))
    raw = [clip.model.encode_text(clip.tokenizer.plain([f"a {n}." for n in NAMES]).ids)]
    raw.append(clip.model.encode_text(clip.tokenizer.plain([f"the {n}" for n in NAMES]).ids))
    start = (raw[0] + raw[1]) / 2
    assert torch.allclose(made.zero_shot, start, atol=1e-5)
    assert torch.equal(made.prototypes, made.zero_shot)
    assert torch.allclose(made.class_features(NAMES), F.normalize(start, dim=1), atol=1e-5)
    assert made.penalty().item() == 0
    scale = clip.model.logit_scale.exp()
    chance = (scale * F.normalize(features, dim=1) @ F.normalize(start, dim=1).t()).softmax(dim=1)
    sure = [chance[0, 0], (chance[1, 1] + chance[2, 1]) / 2, chance[3, 2]]
    expected = torch.stack(sure) if constraint else torch.zeros(3)
    assert torch.allclose(made.lambdas, expected, atol=1e-5)
    with torch.no_grad():
        made.prototypes[1] += 2.0
    assert made.penalty().item() == pytest.approx(float(expected[1]) * 32 * 4 / 3, rel=1e-4)


def test_the_prototypes_alone_are_trained_and_bound_to_their_classes() -> None:
    made = build(tiny_clip())
    assert [name for name, _ in made.named_parameters()] == ["prototypes"]
    assert made.count() == 3 * 32
    assert made.looks_first
    with pytest.raises(NotSupportedError, match="cannot name other classes"):
        made.texts(["cat"])
