"""Learning rates from the first to the last epoch, weights of the average, and the rule of ProGrad, by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.data.batch import Batch
from dapt.model.needs import BACKGROUND, FOREGROUND, FULL
from dapt.model.views import BLUR, ViewMaking, view_of
from dapt.objectives.epoch_weights import gaussian_weights
from dapt.objectives.gradients import ProjectAway, backward_by_rule
from dapt.training.averaging import EpochAverage
from dapt.training.schedule import learning_rate
from helpers import tiny_clip


def rates(epochs: int, warmup: int, rate: float = 1.0, start: float = 0.01) -> list[float]:
    return [
        learning_rate(epoch, base_lr=rate, epochs=epochs, warmup_epochs=warmup, warmup_lr=start)
        for epoch in range(epochs)
    ]


def test_the_cosine_starts_after_the_warm_up_and_spans_all_epochs() -> None:
    assert rates(4, 1) == pytest.approx([0.01, 1.0, 0.5 + 0.5 * math.sqrt(0.5), 0.5])
    assert rates(4, 2) == pytest.approx([0.01, 0.01, 1.0, 0.5 + 0.5 * math.sqrt(0.5)])
    assert rates(4, 0) == pytest.approx([1.0, 0.5 + 0.5 * math.sqrt(0.5), 0.5, 0.5 - 0.5 * math.sqrt(0.5)])
    assert rates(1, 1) == [0.01]
    assert rates(2, 1, rate=0.0026, start=1e-5) == [1e-5, 0.0026]
    assert rates(3, 5) == [0.01] * 3
    # not at its end when training stops: with a warm-up of one epoch, two steps before it
    assert rates(10, 1)[-1] == pytest.approx(0.5 * (1 + math.cos(0.8 * math.pi)))


def test_what_the_usual_warm_up_is() -> None:
    assert learning_rate(0, base_lr=1.0, epochs=4) == 1e-5
    assert learning_rate(1, base_lr=1.0, epochs=4) == 1.0


def test_weights_are_normal_densities_of_epochs_from_one() -> None:
    weights = gaussian_weights(4, 2.0, 1.5)
    raw = [math.exp(-((epoch - 2.0) ** 2) / (2 * 1.5**2)) for epoch in (1, 2, 3, 4)]
    assert weights == pytest.approx([value / sum(raw) for value in raw])
    assert weights[0] == pytest.approx(weights[2])
    assert gaussian_weights(1, 15.0, 1.0) == [1.0]


def test_an_average_copies_what_it_adds() -> None:
    average = EpochAverage((0.5, 0.5))
    parameter = nn.Parameter(torch.tensor([2.0]))
    average.add(0, {"a": parameter})
    assert parameter.tolist() == [2.0]
    with torch.no_grad():
        parameter += 2
    average.add(1, {"a": parameter, "b": torch.tensor([1.0])})
    assert (average.sums["a"].tolist(), average.sums["b"].tolist()) == ([3.0], [0.5])
    assert not average.sums["a"].requires_grad


def combine(a: list[float], b: list[float], strength: float = 1.0) -> list[float]:
    rule = ProjectAway("general", strength)
    return rule.combine({"general": [torch.tensor(b)], "main": [torch.tensor(a)]})[0].tolist()


def test_what_contradicts_is_taken_away() -> None:
    assert combine([-3.0, 4.0], [6.0, 0.0]) == pytest.approx([0.0, 4.0])
    assert combine([-3.0, 4.0], [6.0, 0.0], 0.5) == pytest.approx([-1.5, 4.0])
    assert combine([-3.0, 4.0], [6.0, 0.0], 0.0) == pytest.approx([-3.0, 4.0])
    assert combine([3.0, 4.0], [6.0, 0.0]) == [3.0, 4.0]
    assert combine([0.0, 4.0], [6.0, 0.0]) == [0.0, 4.0]
    assert combine([1.0, -2.0], [3.0, 3.0]) == pytest.approx([1.5, -1.5])
    rule = ProjectAway("general")
    assert rule.combine({"main": [torch.tensor([1.0])], "more": [torch.tensor([2.0])]})[0].tolist() == [3.0]


def test_groups_without_gradient_and_parameters_that_are_not_reached() -> None:
    first, second, frozen = (nn.Parameter(torch.tensor([1.0])) for _ in range(3))
    frozen.requires_grad_(False)
    groups = {"main": 2 * first.sum(), "general": torch.tensor(3.0)}
    backward_by_rule(ProjectAway("general"), groups, [first, second, frozen])
    assert (first.grad.tolist(), second.grad.tolist(), frozen.grad) == ([2.0], [0.0], None)


def test_detached_prompts_keep_their_places() -> None:
    parts = [torch.full((1, size), float(size), requires_grad=True) for size in (2, 3, 4, 5)]
    prompts = Prompts(parts[0], (parts[1], 2 * parts[1]), parts[2], (parts[3],))
    found = prompts.detached()
    assert torch.equal(found.text_ctx, parts[0])
    assert torch.equal(found.visual_ctx, parts[2])
    assert [part.tolist() for part in found.text_deep] == [[[3.0] * 3], [[6.0] * 3]]
    assert torch.equal(found.visual_deep[0], parts[3])
    every = (found.text_ctx, *found.text_deep, found.visual_ctx, *found.visual_deep)
    assert not any(part.requires_grad for part in every)
    assert NO_PROMPTS.detached() == NO_PROMPTS
    assert not NO_PROMPTS.class_specific
    assert not prompts.class_specific
    assert Prompts(torch.zeros(3, 2, 4)).class_specific


def picture() -> Batch:
    generator = torch.Generator().manual_seed(1)
    mask = torch.zeros(2, 1, 16, 16)
    mask[..., :8] = 1
    return Batch(torch.randn(2, 3, 16, 16, generator=generator), torch.tensor([0, 1]), mask)


def test_hidden_pixels_in_numbers() -> None:
    given = picture()
    left, right = given.pixels[..., :8], given.pixels[..., 8:]
    foreground, background = view_of(given, FOREGROUND), view_of(given, BACKGROUND)
    assert torch.equal(foreground[..., :8], left)
    assert torch.equal(background[..., 8:], right)
    assert foreground[..., 8:].abs().max() == background[..., :8].abs().max() == 0
    soft = Batch(given.pixels, given.labels, torch.full((2, 1, 16, 16), 0.25))
    assert torch.allclose(view_of(soft, FOREGROUND), 0.25 * given.pixels)
    assert torch.allclose(view_of(soft, BACKGROUND), 0.75 * given.pixels)
    assert view_of(given, FULL) is given.pixels


def test_blurred_pixels_in_numbers() -> None:
    """Twice the mean over a window that reaches an eighth of the side to each side, cut off at the rim."""
    given = picture()

    def box(line: torch.Tensor) -> torch.Tensor:
        reach = 16 // BLUR
        return torch.stack([line[max(0, at - reach) : at + reach + 1].mean(dim=0) for at in range(16)])

    channel = given.pixels[0, 0]
    for _ in range(2):
        channel = box(box(channel).t()).t()
    hidden = view_of(given, FOREGROUND, ViewMaking("blur"))[0, 0, :, 8:]
    assert torch.allclose(hidden, channel[:, 8:], atol=1e-5)


def test_noise_is_one_pattern_of_spread_one() -> None:
    given = picture()
    noise = view_of(given, FOREGROUND, ViewMaking("noise"))[..., 8:]
    assert torch.equal(noise[0], noise[1])
    expected = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(0))[..., 8:]
    assert torch.equal(noise[0], expected)


def test_the_scale_of_the_logits_is_the_model_s() -> None:
    clip = tiny_clip()
    assert float(clip.logit_scale) == pytest.approx(math.exp(float(clip.model.logit_scale.detach())), rel=1e-6)
    f, t = torch.eye(2, 32), torch.eye(3, 32)
    assert torch.allclose(clip.logits(f, t), float(clip.logit_scale) * torch.eye(2, 3))


def test_texts_are_taken_whole_or_refused() -> None:
    from dapt.errors import DataError

    clip = tiny_clip()
    room = clip.tokenizer.context_length - 2  # start and end
    ids, eot = clip.tokenizer.ids([" ".join(["a"] * room)])
    assert (ids.shape[1], eot.tolist()) == (room + 2, [room + 1])
    assert int(ids[0, -1]) == int(ids.max())
    with pytest.raises(DataError, match=f"has {room + 1} tokens, the model has room for {room}"):
        clip.tokenizer.ids([" ".join(["a"] * (room + 1))])
