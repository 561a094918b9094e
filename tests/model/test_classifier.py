"""A model ready to classify: its prompts and texts are taken once, and stay."""

from __future__ import annotations

import pytest
import torch

import dapt
from dapt.errors import DaptError
from dapt.model.classifier import Classifier
from helpers import tiny_clip

NAMES = ["red square", "blue disc", "green bar"]
PIXELS = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_logits_are_scaled_cosines_of_features_and_texts() -> None:
    model = dapt.create_model(tiny_clip(), "maple", NAMES, depth=2)
    classify = Classifier(model)
    features = classify.features(PIXELS)
    prompts = model.prompts.at_rest()
    image = model.clip.encode_image(PIXELS, prompts)
    text = model.text_features(prompts)
    assert torch.allclose(features, image, atol=1e-6)
    assert torch.allclose(classify(PIXELS), model.clip.logit_scale * image @ text.T, atol=1e-4)
    assert not model.training


def test_what_happens_to_the_prompts_afterwards_does_not_reach_it() -> None:
    model = dapt.create_model(tiny_clip(), "coop", NAMES, n_ctx=4)
    classify = Classifier(model)
    before = classify(PIXELS)
    with torch.no_grad():
        for part in model.parameters():
            part.add_(1.0)
    model.set_classes(["one"])
    assert torch.equal(classify(PIXELS), before)
    assert not torch.equal(Classifier(model)(PIXELS), before[:, :1])


def test_other_texts_may_compete() -> None:
    model = dapt.create_model(tiny_clip(), "maple", NAMES, depth=2)
    texts = torch.eye(model.clip.embed_dim)[:5]
    classify = Classifier(model, texts)
    features = classify.features(PIXELS)
    assert torch.allclose(classify.logits(features), model.clip.logit_scale * features[:, :5], atol=1e-5)


def test_gradient_goes_to_the_features_and_not_through_the_texts() -> None:
    model = dapt.create_model(tiny_clip(), "cocoop", NAMES)  # its texts are made from the features
    classify = Classifier(model)
    features = classify.features(PIXELS).detach().requires_grad_(True)
    logits = classify.logits(features)
    logits[:, 0].sum().backward()
    texts = model.texts_for(classify.prompts, features.detach())
    assert torch.allclose(features.grad, (model.clip.logit_scale * texts[:, 0]).detach(), atol=1e-4)
    assert all(part.grad is None for part in model.parameters())


def test_numbers_that_are_none_are_refused() -> None:
    classify = Classifier(dapt.create_model(tiny_clip(), "maple", NAMES, depth=2))
    with pytest.raises(DaptError, match="image features"):
        classify(torch.full((1, 3, 32, 32), float("nan")))
