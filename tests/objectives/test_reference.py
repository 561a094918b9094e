"""What the untouched model says: averages over templates, its logits, and distances from them."""

from __future__ import annotations

import math

import open_clip
import pytest
import torch
import torch.nn.functional as F

from dapt.model.needs import FROZEN, Outputs
from dapt.objectives.reference import mean_divergence, template_features, zero_shot_logits
from helpers import tiny_clip

TEMPLATES = ["a photo of a {}.", "{}, a {}"]


@pytest.mark.parametrize("unit_first", [True, False])
def test_averages_over_templates(unit_first: bool) -> None:
    clip = tiny_clip()
    found = template_features(clip, TEMPLATES, ["cat", "flag_pole"], unit_first=unit_first)
    texts = [["a photo of a cat.", "cat, a cat"], ["a photo of a flag pole.", "flag pole, a flag pole"]]
    tokenize = open_clip.SimpleTokenizer(context_length=32)
    for row, own in zip(found, texts, strict=True):
        each = clip.model.encode_text(tokenize(own), normalize=unit_first)
        assert torch.allclose(row, F.normalize(each.mean(dim=0), dim=0), atol=1e-5)
    assert not found.requires_grad


def test_braces_in_a_class_name_are_no_template() -> None:
    clip = tiny_clip()
    found = template_features(clip, ["a {} here"], ["{x}"])
    plain = clip.encode_text(clip.tokenizer.plain(["a {x} here"]))
    assert torch.allclose(found, plain, atol=1e-6)


def test_logits_of_the_untouched_view() -> None:
    features = {FROZEN: torch.eye(2), "full": torch.zeros(2, 2)}
    outputs = Outputs(features, {}, torch.tensor(10.0), bias=-1.0)
    reference = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    assert torch.allclose(zero_shot_logits(outputs, reference), torch.tensor([[9.0, 5, -1], [-1, 7, 9]]))


def test_divergence_by_hand() -> None:
    """Known 1/4 and 3/4, said 1/2 each: KL is log 2 + (1/4) log(1/4) + (3/4) log(3/4), over two entries."""
    known = torch.tensor([[0.0, math.log(3)]])
    kl = math.log(2) + 0.25 * math.log(0.25) + 0.75 * math.log(0.75)
    said = torch.zeros(1, 2, requires_grad=True)
    found = mean_divergence(said, known)
    assert found.item() == pytest.approx(kl / 2, rel=1e-5)
    found.backward()
    assert torch.allclose(said.grad, torch.tensor([[0.125, -0.125]]))  # (said - known) / (B C)
    assert mean_divergence(known + 5, known).item() == pytest.approx(0, abs=1e-7)
