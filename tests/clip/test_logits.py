"""How features become logits, number by number."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.logits import class_logits, similarities

FEATURES = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
TEXTS = torch.tensor([[0.0, 1.0], [0.8, 0.6], [-1.0, 0.0]])


def test_every_image_with_every_text() -> None:
    expected = [
        [sum(a * b for a, b in zip(image, text, strict=True)) for text in TEXTS.tolist()] for image in FEATURES.tolist()
    ]
    assert torch.allclose(similarities(FEATURES, TEXTS), torch.tensor(expected))
    assert torch.allclose(
        class_logits(FEATURES, TEXTS, torch.tensor(100.0), -10.0),
        torch.tensor([[-10.0, 70.0, -110.0], [70.0, 86.0, -70.0]]),
    )


def test_every_image_with_texts_of_its_own() -> None:
    own = torch.stack([TEXTS, -TEXTS])
    assert torch.allclose(similarities(FEATURES, own), torch.tensor([[0.0, 0.8, -1.0], [-0.8, -0.96, 0.6]]))
    same = class_logits(FEATURES, TEXTS.expand(2, 3, 2), torch.tensor(2.0))
    assert torch.allclose(same, class_logits(FEATURES, TEXTS, torch.tensor(2.0)))


def test_autocast_does_not_round_what_the_scale_magnifies() -> None:
    generator = torch.Generator().manual_seed(0)
    features, texts = (
        torch.nn.functional.normalize(torch.randn(count, 64, generator=generator), dim=1) for count in (5, 7)
    )
    scale = torch.tensor(100.0)
    expected = class_logits(features, texts, scale)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = class_logits(features, texts, scale)
        rounded = scale * similarities(features, texts)
    assert torch.equal(found, expected)
    assert float((rounded.float() - expected).abs().max()) > 0.01


def test_gradient_flows_to_both_sides_and_the_scale() -> None:
    features, texts = FEATURES.clone().requires_grad_(True), TEXTS.clone().requires_grad_(True)
    scale = torch.tensor(10.0, requires_grad=True)
    class_logits(features, texts, scale)[1, 1].backward()
    assert features.grad[1].tolist() == pytest.approx([8.0, 6.0])
    assert texts.grad[1].tolist() == pytest.approx([6.0, 8.0])
    assert float(scale.grad) == pytest.approx(0.96)
