"""How features become logits, with one set of texts or one for each image."""

from __future__ import annotations

import torch

from dapt.clip.logits import class_logits, similarities

FEATURES = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
TEXTS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]])


def test_by_hand() -> None:
    assert torch.allclose(similarities(FEATURES, TEXTS), torch.tensor([[1, 0, 0.8], [0.6, 0.8, 0.96]]))
    found = class_logits(FEATURES, TEXTS, torch.tensor(10.0), -1.0)
    assert torch.allclose(found, torch.tensor([[9, -1, 7], [5, 7, 8.6]]))


def test_texts_of_each_image() -> None:
    own = torch.stack([TEXTS, TEXTS.flip(0)])
    found = similarities(FEATURES, own)
    assert torch.allclose(found[0], FEATURES[0] @ TEXTS.t())
    assert torch.allclose(found[1], (FEATURES[1] @ TEXTS.t()).flip(0))


def test_autocast_rounds_nothing() -> None:
    torch.manual_seed(0)
    features, texts = torch.randn(4, 16), torch.randn(3, 16)
    exact = class_logits(features, texts, torch.tensor(100.0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(class_logits(features, texts, torch.tensor(100.0)), exact)
        assert class_logits(features, texts.bfloat16(), torch.tensor(100.0)).dtype == torch.float32
        assert not torch.equal((100 * features @ texts.t()).float(), exact)
