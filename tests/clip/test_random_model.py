"""Architectures with random weights: always the same ones, and only of plain CLIPs."""

from __future__ import annotations

import json

import open_clip
import pytest
import torch

from dapt.clip.random_model import random_clip
from dapt.errors import ConfigError
from helpers import TINY

ARCHITECTURE = "tiny-for-random-model"


@pytest.fixture(scope="module", autouse=True)
def architecture(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("configs") / f"{ARCHITECTURE}.json"
    path.write_text(json.dumps(TINY))
    open_clip.add_model_config(path)


def test_the_same_weights_every_time_and_no_other_random_number_changes() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = random_clip(ARCHITECTURE)
    assert torch.equal(torch.rand(3), expected)
    other = random_clip(ARCHITECTURE)
    assert one.fingerprint() == other.fingerprint()
    assert (one.spec, one.embed_dim, one.text.context_length) == (ARCHITECTURE, 32, 32)
    torch.manual_seed(0)
    assert torch.equal(one.model.visual.proj, open_clip.CLIP(**TINY).visual.proj)


@pytest.mark.parametrize(
    ("precision", "kind"), [("32", torch.float32), ("bf16", torch.bfloat16), ("16", torch.float16)]
)
def test_precision(precision: str, kind: torch.dtype) -> None:
    clip = random_clip(ARCHITECTURE, precision=precision)
    assert clip.model.visual.conv1.weight.dtype == kind
    assert clip.model.visual.ln_pre.weight.dtype == torch.float32
    assert clip.text.dtype == kind
    assert torch.isfinite(clip.encode_text(clip.tokenizer.plain(["a photo of a cat"]))).all()


def test_unknown_architectures() -> None:
    with pytest.raises(ConfigError, match=r"no architecture 'ViT-B-61'\.\nDid you mean 'ViT-B-16'"):
        random_clip("ViT-B-61")


@pytest.mark.parametrize("name", ["coca_ViT-B-32", "roberta-ViT-B-32", "ViT-B-16-SigLIP"])
def test_what_is_no_plain_clip(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is no plain CLIP"):
        random_clip(name)
