"""A model that the caller already has: frozen where it is, with the tokenizer that fits it."""

from __future__ import annotations

import open_clip
import pytest
import torch
from torch import nn

from dapt.clip.frozen import Preprocess
from dapt.clip.wrap import wrap_model
from dapt.errors import ConfigError, ModelError
from helpers import TINY, tiny_model

SMALL = {"text_cfg": {**TINY["text_cfg"], "vocab_size": 100}}


def test_frozen_in_place() -> None:
    model = tiny_model().train()
    clip = wrap_model(model)
    assert clip.model is model
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    pixels = torch.randn(2, 3, 32, 32)
    assert torch.allclose(clip.encode_image(pixels), model.encode_image(pixels, normalize=True), atol=1e-6)
    assert clip.tokenizer.plain(["a cat"]).ids.shape == (1, 32)


def test_how_it_wants_its_pixels() -> None:
    given = Preprocess((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))
    assert wrap_model(tiny_model(), preprocess=given).preprocess is given
    assert wrap_model(tiny_model(), preprocess={"resize_mode": "squash"}).preprocess.resize_mode == "squash"
    with pytest.raises(ModelError, match="preprocessing has no 'resize'"):
        wrap_model(tiny_model(), preprocess={"resize": "squash"})
    with pytest.raises(ConfigError, match="preprocess= wants numbers, not 'function'"):
        wrap_model(tiny_model(), preprocess=lambda image: image)  # type: ignore[arg-type]


def test_tokenizers() -> None:
    with pytest.raises(ModelError, match=r"a vocabulary of 100 words[\s\S]*tokenizer="):
        wrap_model(tiny_model(**SMALL))
    standard = open_clip.SimpleTokenizer(context_length=32)
    with pytest.raises(ModelError, match="The tokenizer has 49408 words, the model 100"):
        wrap_model(tiny_model(**SMALL), tokenizer=standard)
    assert torch.equal(wrap_model(tiny_model(), tokenizer=standard).tokenizer.plain(["a"]).ids, standard(["a"]))


def test_what_is_no_model() -> None:
    with pytest.raises(ModelError, match="Linear is no open_clip model"):
        wrap_model(nn.Linear(2, 2))
