"""Figures: by hand, and the attention share against a plain computation."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.evaluation.metrics import (
    accuracy,
    calibration_bins,
    calibration_error,
    confusion,
    harmonic_mean,
    per_class,
    per_class_mean,
    worst_group,
)
from dapt.model.attention import class_attention, features_and_attention, foreground_share
from helpers import classifier_of, tiny_clip


def test_by_hand() -> None:
    predicted, labels = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([0, 0, 0, 1, 1])
    assert accuracy(predicted, labels) == pytest.approx(60.0)
    assert per_class_mean(predicted, labels) == pytest.approx((200 / 3 + 50) / 2)
    assert per_class(predicted, labels, ["a", "b", "c"]) == {"a": pytest.approx(200 / 3), "b": 50.0, "c": None}
    assert worst_group(predicted, labels, ["x", "x", "y", "y", None]) == 50.0
    assert worst_group(predicted, labels, [None] * 5) is None
    assert accuracy(torch.empty(0), torch.empty(0)) is None
    assert harmonic_mean(69.34, 74.22) == pytest.approx(71.70, abs=0.01)
    assert harmonic_mean(0.0, 0.0) == 0.0
    assert harmonic_mean(None, 1.0) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_bounds(pairs: list[tuple[int, int]]) -> None:
    predicted, labels = (torch.tensor(values) for values in zip(*pairs, strict=True))
    groups = [str(label) for label in labels.tolist()]
    worst, mean = worst_group(predicted, labels, groups), per_class_mean(predicted, labels)
    assert 0 <= worst <= mean + 1e-9 <= 100 + 2e-9
    assert worst <= accuracy(predicted, labels) + 1e-9


def test_attention_of_the_class_token_matches_the_module() -> None:
    clip = tiny_clip()
    attention = clip.image.last_attention()
    x = torch.randn(2, 9, 32)
    _, weights = attention(x, x, x, need_weights=True, average_attn_weights=True)
    assert torch.allclose(class_attention(attention, x), weights[:, 0], atol=1e-6)


def test_attention_leaves_out_prompts_and_keeps_the_features() -> None:
    clip = tiny_clip()
    pixels = torch.randn(2, 3, 32, 32)
    prompts = Prompts(visual_ctx=torch.randn(3, 32) * 3)
    for given_prompts in (NO_PROMPTS, prompts):
        features, attention = features_and_attention(classifier_of(clip, given_prompts), pixels)
        assert torch.equal(features, clip.encode_image(pixels, given_prompts))
        assert attention.shape == (2, 4, 4)
        assert (attention.sum(dim=(1, 2)) < 1).all()


def test_foreground_share() -> None:
    attention = torch.tensor([[[0.1, 0.2], [0.3, 0.2]]])
    mask = torch.zeros(1, 1, 4, 4)
    assert float(foreground_share(attention, mask)) == 0.0
    assert float(foreground_share(attention, mask + 1)) == pytest.approx(1.0)
    mask[..., :2, :2] = 1  # the first patch
    assert float(foreground_share(attention, mask)) == pytest.approx(0.1 / 0.8)
    mask[..., 2, :2] = 1  # half of the third
    assert float(foreground_share(attention, mask)) == pytest.approx((0.1 + 0.15) / 0.8)


def test_calibration_bins_are_those_of_the_error() -> None:
    confidence, correct = torch.tensor([0.05, 0.95, 0.99, 0.5]), torch.tensor([False, True, False, True])
    bins = calibration_bins(confidence, correct)
    assert [row["images"] for row in bins] == [1, 1, 2]
    assert bins[2] == {"images": 2, "confidence": pytest.approx(97), "accuracy": pytest.approx(50)}
    error = sum(row["images"] * abs(row["confidence"] - row["accuracy"]) for row in bins) / 4
    assert calibration_error(confidence, correct) == pytest.approx(error)
    assert calibration_bins(torch.empty(0), torch.empty(0)) == []


def test_confusion_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    predicted, labels = torch.tensor([0, 1, 1, 1, 2]), torch.tensor([0, 0, 0, 1, 1])
    found = confusion(predicted, labels, ["a", "b", "c"])
    assert {name: list(row.items()) for name, row in found.items()} == {
        "a": [("b", 2), ("a", 1)],
        "b": [("b", 1), ("c", 1)],
    }
    monkeypatch.setattr("dapt.evaluation.metrics.PAIRS", 1)
    assert confusion(predicted, labels, ["a", "b", "c"]) == {"a": {"b": 2}}, "those of most images"
