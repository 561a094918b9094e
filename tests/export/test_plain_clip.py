"""A run as an ordinary CLIP: the same logits, or a reason why not."""

from __future__ import annotations

import pytest
import torch

import dapt
from dapt.errors import NotSupportedError
from dapt.export.plain_clip import make_plain_clip, refusal
from helpers import tiny_clip
from model.test_model_plain import NAMES, made, pixels

PLAIN = ["clip_lora", "coop", "coop.csc", "gda", "language_deep", "linear_probe", "lp_plus", "prolip", "zero_shot"]


SLOW = ("linear_probe", "lp_plus")
long = pytest.mark.long


@pytest.mark.parametrize("method", [pytest.param(each, marks=long) if each in SLOW else each for each in PLAIN])
def test_logits(method: str, tiny_spec: str) -> None:
    model = made(method, tiny_spec, device="cpu").still()
    plain = make_plain_clip(model, "openclip")
    x = pixels(3)
    with torch.no_grad():
        features = plain.model.encode_image(x)  # type: ignore[operator]
        if plain.unit_features:
            features = features / features.norm(dim=-1, keepdim=True)
        found = features @ plain.weight.t() + plain.offset
        assert torch.allclose(found, model(x), atol=1e-4)
    assert (plain.plain_texts is not None) == (method in ("clip_lora", "prolip", "zero_shot"))


def test_plain_texts_give_the_class_features(tiny_spec: str) -> None:
    model = made("clip_lora", tiny_spec, device="cpu").still()
    plain = make_plain_clip(model, "openclip")
    assert plain.plain_texts is not None
    assert plain.plain_texts[1] == ["a photo of a blue disc."], "the underscore is a space"
    tokens = model.clip.tokenizer.own([texts[0] for texts in plain.plain_texts])
    with torch.no_grad():
        features = plain.model.encode_text(tokens)  # type: ignore[operator]
    features = features / features.norm(dim=-1, keepdim=True)
    assert torch.allclose(model.clip.logit_scale * features, plain.weight, atol=1e-4)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("maple", "maple has prompts within the image tower, so no ordinary CLIP does what the run does"),
        ("clip_adapter", "clip_adapter maps image features after the tower"),
        ("tip_adapter", "tip_adapter acts on the logits"),
        ("cocoop", "its class texts depend on the image"),
    ],
)
def test_refusals(method: str, message: str) -> None:
    model = made(method, tiny_clip())
    with pytest.raises(NotSupportedError, match=message) as caught:
        make_plain_clip(model, "hf")
    graph = refusal(model, "onnx")
    assert (graph is None) == (method != "cocoop")
    assert ("Use --to onnx or torch-export." in caught.value.message) == (method != "cocoop")


def test_names_of_the_test() -> None:
    assert set(PLAIN) <= set(dapt.list_methods())
    assert len(NAMES) == 3
