"""LP++: rates that follow from the features, and the step that is kept. The fixture has the numbers of its steps."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import dapt
from dapt.clip.frozen import unit
from dapt.errors import DataError
from dapt.methods.lp_plus import LpPlusOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.blended_probe import BlendedProbePrompts, Fitting, Probe, State
from helpers import tiny_clip

NAMES = ["cat", "dog", "cow"]


def given(count: int, seed: int = 0, spread: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    centres = torch.randn(3, tiny_clip().embed_dim, generator=torch.Generator().manual_seed(9))
    return unit(centres[labels] + spread * torch.randn(count, centres.shape[1], generator=generator)), labels


def texts() -> Tensor:
    return unit(torch.randn(3, tiny_clip().embed_dim, generator=torch.Generator().manual_seed(8)))


def test_a_hundred_steps_lower_the_loss_and_never_diverge() -> None:
    features, labels = given(30)
    fitting = Fitting.of(features, labels, texts())
    state = State(fitting.start(torch.zeros(3)))
    losses = [float(fitting.loss(state.probe))]
    for _ in range(100):
        state = state.stepped(fitting)
        losses.append(float(fitting.loss(state.probe)))
    assert losses[-1] < 0.1 * losses[0]
    assert all(torch.isfinite(part).all() for part in (state.probe.weight, state.probe.bias, state.probe.alpha))


def test_alpha_moves_in_every_tenth_step_by_all_gradients_so_far() -> None:
    features, labels = given(12)
    fitting = Fitting.of(features, labels, texts())
    state = State(fitting.start(torch.zeros(3)))
    start, total = state.probe.alpha, torch.zeros(3)
    for number in range(1, 21):
        alpha = state.probe.alpha.clone().requires_grad_()
        probe = Probe(state.probe.weight, state.probe.bias, alpha)
        total += torch.autograd.grad(fitting.loss(probe), alpha)[0]
        state = state.stepped(fitting)
        if number == 9:
            assert torch.equal(state.probe.alpha, start)
        if number == 10:
            assert torch.allclose(state.probe.alpha, start - fitting.alpha_rate * total)
            start = state.probe.alpha
    assert torch.allclose(state.probe.alpha, start - fitting.alpha_rate * total)


def test_a_class_without_images_starts_like_the_others() -> None:
    features, labels = given(8)
    kept = labels < 2
    probe = Fitting.of(features[kept], labels[kept], texts()).start(torch.zeros(3))
    assert torch.equal(probe.weight[2], torch.zeros_like(probe.weight[2]))
    assert len(set(probe.alpha.tolist())) == 1
    own = torch.stack([(features[kept][labels[kept] == c] @ texts()[c]).mean() for c in range(2)])
    assert float(probe.alpha[0]) == pytest.approx(250 * float(own.mean()), rel=1e-5)


def seen_by(val: tuple[Tensor, Tensor] | None) -> TrainingSet:
    features, labels = given(9)
    val_features, val_labels = val or (features[:0], labels[:0])
    return TrainingSet(
        tiny_clip(), labels, val_labels, texts, lambda _: features, lambda: val_features, lambda _: features[None]
    )


def test_the_latest_of_the_best_steps_is_kept() -> None:
    val = given(90, seed=4, spread=2.5)
    own = BlendedProbePrompts(LpPlusOptions(steps=40), tiny_clip(), NAMES, torch.Generator().manual_seed(0))
    bias = own.bias.detach().clone()
    own.prepare(seen_by(val))
    features, labels = given(9)
    fitting = Fitting.of(features, labels, texts())
    state, found = State(fitting.start(bias)), []
    for _ in range(40):
        state = state.stepped(fitting)
        found.append((int((state.probe.logits(val[0], texts()).argmax(dim=1) == val[1]).sum()), state.probe))
    best = max(right for right, _ in found)
    latest = [probe for right, probe in found if right == best][-1]
    assert torch.allclose(own.weight, latest.weight)
    assert torch.allclose(own.alpha, latest.alpha)
    assert len({right for right, _ in found}) > 1, "the case decides nothing"
    last = BlendedProbePrompts(LpPlusOptions(steps=40), tiny_clip(), NAMES, torch.Generator().manual_seed(0))
    last.prepare(seen_by(None))
    assert torch.allclose(last.weight, state.probe.weight)


def test_logits_are_the_blend_without_the_scale_of_the_model() -> None:
    clip = tiny_clip()
    pixels = torch.randn(9, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    model = dapt.create_model(clip, "lp_plus", NAMES, steps=5).prepare([dapt.Batch(pixels, torch.arange(9) % 3)]).eval()
    features, known = F.normalize(clip.image.encode(pixels)), model.encode_text()
    own = model.prompts
    expected = features @ own.weight.t() + own.bias + own.alpha * (features @ known.t())
    assert torch.allclose(model(pixels), expected, atol=1e-4)
    assert torch.allclose(model.plain()(pixels), expected, atol=1e-3)


def test_no_training_images() -> None:
    own = BlendedProbePrompts(LpPlusOptions(), tiny_clip(), NAMES, torch.Generator())
    nothing = torch.empty(0, tiny_clip().embed_dim)
    empty = torch.empty(0, dtype=torch.long)
    with pytest.raises(DataError, match="there are none"):
        own.prepare(
            TrainingSet(tiny_clip(), empty, empty, texts, lambda _: nothing, lambda: nothing, lambda _: nothing[None])
        )
