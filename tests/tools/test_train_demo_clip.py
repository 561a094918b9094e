"""The tool that trains the bundled model: a tokenizer that is the same every time, and a loss checked by hand."""

from __future__ import annotations

import gzip
import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import open_clip
import pytest
import torch
import torch.nn.functional as F

from dapt.clip.bundled import bundled_model
from dapt.data.resolve import load_data
from dapt.demo.captions import vocabulary
from helpers import REPOSITORY


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(REPOSITORY / "tools"))
    return importlib.import_module("train_demo_clip")


def test_the_packaged_tokenizer_is_what_the_tool_makes(tool: ModuleType, tmp_path: Path) -> None:
    tool.train_tokenizer(list(reversed(vocabulary())), tmp_path / "bpe.txt.gz")
    made, packaged = (
        gzip.decompress(path.read_bytes()) for path in (tmp_path / "bpe.txt.gz", bundled_model() / tool.BPE_FILE)
    )
    assert made == packaged


def test_a_letter_said_twice_is_merged_from_the_left(tool: ModuleType) -> None:
    assert tool._merged(["o", "o", "o", "z</w>"], ("o", "o")) == ["oo", "o", "z</w>"]


def test_spelling_keeps_a_sentence_in_the_context(tool: ModuleType) -> None:
    tokenizer = open_clip.SimpleTokenizer(bpe_path=str(bundled_model() / tool.BPE_FILE), context_length=32)
    rng = np.random.default_rng(0)
    plain = tokenizer("a photo of a car.")[0]
    lengths = set()
    for _ in range(200):
        ids = tool.spelled(tokenizer, "a photo of a car.", rng, {})
        lengths.add(len(ids))
        if len(ids) == int((plain > 0).sum()):
            assert ids == plain[: len(ids)].tolist()
    assert len(lengths) > 1, "some sentences had a word spelled out"
    assert len(tool.spelled(tokenizer, "car " * 60, rng, {})) == 32


def test_loss_is_clips_when_all_captions_differ(tool: ModuleType) -> None:
    torch.manual_seed(0)
    images, texts = (F.normalize(torch.randn(5, 8), dim=-1) for _ in range(2))
    logits = 7.0 * images @ texts.T
    expected = (F.cross_entropy(logits, torch.arange(5)) + F.cross_entropy(logits.T, torch.arange(5))) / 2
    found = tool.contrast(images, texts, torch.arange(5), torch.tensor(7.0))
    torch.testing.assert_close(found, expected)


def test_equal_captions_are_equal(tool: ModuleType) -> None:
    """Two images that share a caption: neither is a negative of the other's text."""
    images = F.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), dim=-1)
    texts = F.normalize(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), dim=-1)
    loss = tool.contrast(images, texts, torch.tensor([0, 0, 1]), torch.tensor(100.0))
    # by text, the first one's two images share the probability: two thirds of log(2), halved
    assert float(loss) == pytest.approx(np.log(2) / 3, abs=1e-5)


def test_photographs_become_samples(tool: ModuleType, photos: Path) -> None:
    samples = tool.photo_samples(load_data(str(photos)))
    assert samples.pictures.shape[1:] == (3, tool.STORED, tool.STORED)
    assert len(samples.pictures) >= 16
    assert samples.pictures.float().std() > 10
    text = samples.caption(0, np.random.default_rng(0))
    assert {word.strip(".") for word in text.lower().split()} <= set(samples.words)
