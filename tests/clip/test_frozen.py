"""`FrozenClip`: the model's own figures, unit features, a fingerprint, and text towers without places for prompts."""

from __future__ import annotations

import math

import open_clip
import pytest
import torch
import torch.nn.functional as F
from open_clip.model import CustomTextCLIP

from dapt.clip.frozen import FrozenClip, Preprocess, PromptFreeTextTower, unit
from dapt.clip.prompts import Prompts
from dapt.errors import NotSupportedError
from helpers import TINY, tiny_clip, tiny_model

TEXTS = ["a photo of a cat.", "dog"]
PREPROCESS = Preprocess((0.5,) * 3, (0.5,) * 3)


def frozen(model: torch.nn.Module) -> FrozenClip:
    return FrozenClip(model, open_clip.SimpleTokenizer(context_length=32), PREPROCESS, "tiny")


def test_features_and_logits_are_those_of_open_clip(clip, pixels):
    image, text = clip.encode_image(pixels), clip.encode_text(clip.tokenizer.plain(TEXTS))
    ids = open_clip.SimpleTokenizer(context_length=32)(TEXTS)
    assert torch.allclose(image, clip.model.encode_image(pixels, normalize=True), atol=1e-6)
    assert torch.allclose(text, clip.model.encode_text(ids, normalize=True), atol=1e-6)
    expected, _ = clip.model.get_logits(pixels, ids)
    assert torch.allclose(clip.logits(image, text), expected, atol=1e-4)


def test_the_learned_bias_is_added():
    torch.manual_seed(0)
    clip = frozen(CustomTextCLIP(**TINY, init_logit_bias=-10.0, init_logit_scale=math.log(3)))
    features = torch.eye(32)[:2]
    assert torch.allclose(clip.logits(features, features), torch.tensor([[-7.0, -10], [-10, -7]]), atol=1e-5)
    assert tiny_clip().logit_bias == 0


def test_nothing_can_be_trained():
    model = tiny_model().train()
    clip = frozen(model)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert clip.embed_dim == 32
    assert clip.device == torch.device("cpu")
    clip.set_checkpointing(True)
    assert clip.image.checkpointing
    assert clip.text.checkpointing


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_unit_length_in_at_least_float32(kind):
    given = torch.tensor([[3.0, 4.0], [300.0, 0.0]], dtype=kind)  # 300 squared is no half-precision number
    assert torch.equal(unit(given).float(), F.normalize(given.double()).float())
    assert unit(given).dtype == (torch.float64 if kind == torch.float64 else torch.float32)


def test_the_fingerprint_tells_models_apart_whatever_the_compute_type():
    own = tiny_clip(seed=1).fingerprint()
    assert tiny_clip(seed=1).fingerprint() == own
    assert tiny_clip(seed=2).fingerprint() != own
    for part in ("ln_final.bias", "visual.class_embedding", "visual.positional_embedding"):
        model = tiny_model(seed=1)
        with torch.no_grad():
            model.state_dict()[part].view(-1)[0] += 0.5
        assert frozen(model).fingerprint() != own
    for kind in (torch.float16, torch.bfloat16):
        model = tiny_model(seed=1)
        open_clip.model.convert_weights_to_lp(model, kind)
        assert frozen(model).fingerprint() == own


def test_description():
    clip = tiny_clip()
    assert clip.describe() == {
        "spec": "tiny",
        "embed_dim": 32,
        "image_width": 32,
        "image_layers": 3,
        "image_size": [32, 32],
        "text_width": 24,
        "text_layers": 4,
        "context_length": 32,
        "fingerprint": clip.fingerprint(),
    }


def test_a_text_tower_without_places_for_prompts():
    torch.manual_seed(0)
    clip = frozen(CustomTextCLIP(**{**TINY, "text_cfg": {**TINY["text_cfg"], "embed_cls": True}}))
    tower = clip.text
    assert isinstance(tower, PromptFreeTextTower)
    assert (tower.width, tower.layers) == (0, 0)
    tokens = clip.tokenizer.plain(TEXTS)
    assert torch.equal(clip.encode_text(tokens), unit(clip.model.encode_text(tokens.ids)))
    for prompts in (Prompts(text_ctx=torch.zeros(1, 24)), Prompts(text_deep=(torch.zeros(1, 24),))):
        with pytest.raises(NotSupportedError, match="CoCa"):
            clip.encode_text(tokens, prompts)
    with pytest.raises(NotSupportedError, match="CoCa"):
        tower.embed_words(torch.tensor([1]))
    clip.encode_text(tokens, Prompts(visual_ctx=torch.zeros(1, 32)))  # image-only methods work
