"""An open_clip model that a caller has, frozen where it is."""

from __future__ import annotations

import open_clip
import pytest
import torch
from torch import nn

from dapt.clip.frozen import Preprocess
from dapt.clip.wrap import OBJECT, wrap_model
from dapt.errors import ConfigError, ModelError
from helpers import PREPROCESS, tiny_model

SMALL = {"context_length": 32, "vocab_size": 1000, "width": 24, "heads": 2, "layers": 2}


class Tokens:
    """A tokenizer of a few words."""

    def __init__(self, words: int | None = None) -> None:
        if words is not None:
            self.vocab_size = words

    def __call__(self, texts: list[str]) -> torch.Tensor:
        return torch.zeros(len(texts), 32, dtype=torch.long)


def test_it_is_frozen_in_place_and_gives_the_models_own_features() -> None:
    own = tiny_model().train()
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    ids = open_clip.SimpleTokenizer(context_length=32)(["a photo of a cat"])
    with torch.no_grad():
        image, text = own.eval().encode_image(pixels, normalize=True), own.encode_text(ids, normalize=True)
    clip = wrap_model(own.train())
    assert clip.model is own
    assert not own.training
    assert not any(part.requires_grad for part in own.parameters())
    assert torch.allclose(clip.encode_image(pixels), image, atol=1e-5)
    assert torch.allclose(clip.encode_text(clip.tokenizer.plain(["a photo of a cat"])), text, atol=1e-5)
    assert clip.spec == OBJECT


def test_how_it_wants_its_pixels() -> None:
    openai = Preprocess(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    assert wrap_model(tiny_model()).preprocess == openai
    assert wrap_model(tiny_model(), preprocess=PREPROCESS).preprocess is PREPROCESS
    found = wrap_model(tiny_model(), preprocess={"mean": [0.5] * 3, "resize_mode": "squash"}).preprocess
    assert found == Preprocess((0.5, 0.5, 0.5), open_clip.OPENAI_DATASET_STD, "bicubic", "squash")
    with pytest.raises(ConfigError, match="preprocess= wants numbers, not 'int'"):
        wrap_model(tiny_model(), preprocess=3)
    with pytest.raises(ModelError, match="preprocessing has no 'meen'"):
        wrap_model(tiny_model(), preprocess={"meen": [0.5] * 3})


def test_the_standard_tokenizer_only_for_its_own_vocabulary() -> None:
    with pytest.raises(ModelError, match="a vocabulary of 1000 words") as caught:
        wrap_model(tiny_model(text_cfg=SMALL))
    assert "tokenizer=" in caught.value.todo
    with pytest.raises(ModelError, match="The tokenizer has 1001 words, the model 1000"):
        wrap_model(tiny_model(text_cfg=SMALL), tokenizer=Tokens(1001))


def test_what_is_no_open_clip_model() -> None:
    with pytest.raises(ModelError, match="Linear is no open_clip model"):
        wrap_model(nn.Linear(2, 2))
