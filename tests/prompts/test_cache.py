"""Tip-Adapter: which strengths the search takes, and the logits of a finished run written out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from dapt.config import make_config
from dapt.methods.tip_adapter import TipAdapterOptions
from dapt.model.classifier import Classifier
from dapt.model.prompted_clip import PromptedClip
from dapt.prompts.base import TrainingSet
from dapt.prompts.cache import CachePrompts
from dapt.runs.load_run import load_run
from dapt.runs.train import run_training
from helpers import tiny_clip

NAMES = ["cat", "dog", "horse"]


def seen_by(model: PromptedClip, features: torch.Tensor, val: torch.Tensor, labels: list[list[int]]) -> TrainingSet:
    train, judged = (torch.tensor(part) for part in labels)
    return TrainingSet(
        model.clip,
        train,
        judged,
        lambda: model.text_features(model.prompts()),
        lambda views: features,
        lambda: val,
        lambda views: features[None],
    )


def test_the_search_takes_the_first_best_pair_of_the_released_loops() -> None:
    """Against the two loops as they are described: beta outside, alpha inside, only a greater accuracy replaces."""
    clip = tiny_clip()
    clip.logit_scale = torch.tensor(3.0)  # small, so that the cache decides between images
    prompts = CachePrompts(TipAdapterOptions(), clip, NAMES, torch.Generator())
    model = PromptedClip(clip, prompts, NAMES)
    generator = torch.Generator().manual_seed(4)
    features, val = (torch.randn(count, 32, generator=generator) for count in (9, 30))
    labels = [[0, 1, 2] * 3, torch.randint(0, 3, (30,), generator=generator).tolist()]
    prompts.prepare(seen_by(model, features, val, labels))

    keys, judged = F.normalize(features), F.normalize(val)
    zero_shot = clip.logits(judged, model.text_features(model.prompts()))
    votes = F.one_hot(torch.tensor(labels[0])).float()
    best, chosen = -1.0, (0.0, 0.0)
    for i in range(200):
        beta = 0.1 + i * (7 - 0.1) / 200
        cache = torch.exp(-beta * (1 - judged @ keys.t())) @ votes
        for j in range(20):
            alpha = 0.1 + j * (3 - 0.1) / 20
            accuracy = float(((zero_shot + alpha * cache).argmax(dim=1) == torch.tensor(labels[1])).float().mean())
            if accuracy > best:
                best, chosen = accuracy, (alpha, beta)
    assert (float(prompts.alpha), float(prompts.beta)) == pytest.approx(chosen)
    assert chosen != (0.1, 0.1), "the case decides nothing"


def test_without_validation_images_the_strengths_are_those_given() -> None:
    clip = tiny_clip()
    prompts = CachePrompts(TipAdapterOptions(alpha=2.0, beta=3.0), clip, NAMES, torch.Generator())
    model = PromptedClip(clip, prompts, NAMES)
    prompts.prepare(seen_by(model, torch.randn(3, 32), torch.empty(0, 32), [[0, 1, 2], []]))
    assert (float(prompts.alpha), float(prompts.beta)) == (2.0, 3.0)


@pytest.mark.parametrize("method", ["tip_adapter", "tip_adapter.tuned"])
def test_logits_of_a_loaded_run_are_the_formula(method: str, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    given = {"data": str(table), "model": tiny_spec, "method": method, "shots": 2, "device": "cpu"}
    epochs = {"epochs": 2} if method == "tip_adapter.tuned" else {}
    run_training(make_config({**given, **epochs, "out": str(tmp_path / "run")}))
    model, _ = load_run(tmp_path / "run", device="cpu")
    prompts, pixels = model.prompts, torch.randn(5, 3, 32, 32)
    features = model.clip.encode_image(pixels)
    texts = model.clip.encode_text(model.clip.tokenizer.plain([f"a photo of a {name}." for name in model.names]))
    near = torch.exp(-prompts.beta * (1 - features @ prompts.keys.t())) @ F.one_hot(prompts.key_labels).float()
    expected = model.clip.logit_scale * features @ texts.t() + prompts.alpha * near
    assert torch.allclose(Classifier(model)(pixels), expected.detach(), atol=1e-4)


def test_distractors_of_the_released_code_get_no_votes() -> None:
    prompts = CachePrompts(TipAdapterOptions(cache_size=2), tiny_clip(), NAMES, torch.Generator())
    found = prompts.adjust_logits(torch.zeros(1, 5), torch.zeros(1, 32))
    assert found.shape == (1, 5)
    assert found[0, 1:].tolist() == [0.0] * 4
