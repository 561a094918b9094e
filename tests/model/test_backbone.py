"""The frozen model that a caller names or gives."""

from __future__ import annotations

import open_clip
import pytest
import torch
from torch import nn

from dapt.errors import ConfigError, DaptError, ModelError
from dapt.model.backbone import open_backbone
from helpers import PREPROCESS, tiny_clip, tiny_model

PIXELS = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_named_or_given_it_is_the_same(tiny_spec: str) -> None:
    named, given = open_backbone(tiny_spec, device="cpu"), open_backbone(tiny_model())
    assert named.spec == tiny_spec
    assert named.fingerprint() == given.fingerprint() == tiny_clip().fingerprint()
    assert torch.equal(named.encode_image(PIXELS), given.encode_image(PIXELS))


def test_a_frozen_model_is_taken_as_it_is() -> None:
    clip = tiny_clip()
    assert open_backbone(clip) is clip
    assert open_backbone(clip, device="cpu").device.type == "cpu"


def test_a_given_model_may_bring_its_ways() -> None:
    tokenizer = open_clip.SimpleTokenizer(context_length=32)
    clip = open_backbone(tiny_model(), tokenizer=tokenizer, preprocess=PREPROCESS)
    assert clip.preprocess == PREPROCESS


def test_the_text_tower_may_keep_half_of_the_memory() -> None:
    from dapt.environment import device_memory_mb

    assert open_backbone(tiny_clip()).text.memory_mb == pytest.approx(device_memory_mb("cpu") / 2, rel=0.2)


@pytest.mark.parametrize(
    ("make", "how", "error", "message"),
    [
        (lambda: 3, {}, ConfigError, "not 3"),
        (lambda: "demo", {"preprocess": PREPROCESS}, ConfigError, "brings its own tokenizer and preprocessing"),
        (tiny_clip, {"tokenizer": lambda texts: texts}, ConfigError, "brings its own"),
        (tiny_model, {"precision": "bf16"}, ConfigError, "keeps its own precision"),
        (tiny_clip, {"precision": "16"}, ConfigError, "keeps its own precision"),
        (lambda: nn.Linear(1, 1), {}, ModelError, "no open_clip model"),
        (tiny_clip, {"device": "nowhere"}, ConfigError, "nowhere"),
        (lambda: "local-dir:/nowhere", {}, ModelError, "nowhere"),
    ],
)
def test_mistakes(make, how: dict[str, object], error: type[DaptError], message: str) -> None:
    with pytest.raises(error, match=message):
        open_backbone(make(), **how)
