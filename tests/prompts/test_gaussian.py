"""GDA: Gaussians in closed form, and what stands for classes that were not trained. The fixtures have its numbers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import dapt
from dapt.clip.frozen import unit
from dapt.errors import DataError, ModelError, NotSupportedError
from dapt.methods.gda import GdaNewOptions, GdaOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.gaussian import (
    ALPHAS,
    GaussianPrompts,
    OpenGaussianPrompts,
    inverse,
    line,
    mean_class_precision,
    shrunk_precision,
    without_empty,
)
from dapt.prompts.per_class import class_means
from helpers import tiny_clip

NAMES = ["cat", "dog", "cow"]


def features_of(labels: Tensor, seed: int = 0, spread: float = 0.3) -> Tensor:
    """Features around a centre for each class."""
    generator = torch.Generator().manual_seed(seed)
    width = tiny_clip().embed_dim
    centres = torch.randn(len(NAMES), width, generator=torch.Generator().manual_seed(99))
    return centres[labels] + spread * torch.randn(len(labels), width, generator=generator)


def seen_by(clip, labels: Tensor, val: Tensor, views: int = 4) -> TrainingSet:
    rows = torch.stack([features_of(labels, seed) for seed in range(views)])
    texts = unit(torch.randn(len(NAMES), clip.embed_dim, generator=torch.Generator().manual_seed(5)))
    return TrainingSet(
        clip,
        labels,
        val,
        lambda: texts,
        lambda count: rows[:count].mean(dim=0),
        lambda: features_of(val, 77),
        lambda count: rows[:count],
    )


def test_means_and_a_class_without_images() -> None:
    rows = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0]])
    found = class_means(rows, torch.tensor([0, 0, 2]), 3)
    assert found.tolist() == [[2.0, 0.0], [0.0, 0.0], [0.0, 5.0]]
    offsets = without_empty(torch.tensor([-3.0, 0.0, -7.0]), torch.tensor([0, 0, 2]))
    assert offsets.tolist() == [-3.0, -7.0, -7.0], "nothing speaks for a class that was never seen"


def test_directions_without_spread_are_left_out_and_not_blown_up() -> None:
    assert torch.allclose(
        inverse(torch.diag(torch.tensor([4.0, 0.0, 1e-12]).double())), torch.diag(torch.tensor([0.25, 0, 0]).double())
    )


def test_shrinkage_by_hand() -> None:
    centred = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]]).double()
    scatter = torch.diag(torch.tensor([2.0, 8.0]).double())
    expected = 2 * torch.linalg.inv(scatter + 10 / 3 * torch.eye(2).double())
    assert torch.allclose(shrunk_precision(centred), expected)


def test_the_mean_covariance_leaves_out_classes_with_one_feature() -> None:
    rows = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 0.0], [0.0, 4.0], [9.0, 9.0]]).double()
    labels = torch.tensor([0, 0, 1, 1, 2])
    covariance = torch.diag(torch.tensor([1.0, 4.0]).double())
    assert torch.allclose(mean_class_precision(rows, labels, 3), torch.linalg.inv(covariance))
    with pytest.raises(DataError, match="two training images"):
        mean_class_precision(rows[[0, 2, 4]], torch.tensor([0, 1, 2]), 3)


def test_scores_are_log_densities_but_for_what_classes_have_in_common() -> None:
    generator = torch.Generator().manual_seed(1)
    means = torch.randn(3, 4, generator=generator).double()
    root = torch.randn(4, 4, generator=generator).double()
    precision = root @ root.t() + torch.eye(4).double()
    weight, offset = line(means, precision, 3)
    x = torch.randn(6, 4, generator=generator).double()
    gap = x[:, None] - means[None]
    density = math.log(1 / 3) - (gap @ precision * gap).sum(dim=2) / 2
    assert torch.allclose((x @ weight.t() + offset).log_softmax(dim=1), density.log_softmax(dim=1))


def test_alpha_is_the_first_best_of_the_grid() -> None:
    clip = tiny_clip()
    labels, val = torch.arange(12) % 3, torch.arange(60) % 3
    own = GaussianPrompts(GdaOptions(views=4), clip, NAMES, torch.Generator())
    seen = seen_by(clip, labels, val)
    own.prepare(seen)
    features, texts = unit(seen.val_features()), seen.class_features()
    right = []
    for alpha in ALPHAS:
        logits = clip.logit_scale * features @ texts.t() + alpha * (features @ own.weight.t() + own.bias)
        right.append(int((logits.argmax(dim=1) == val).sum()))
    assert float(own.alpha) == pytest.approx(ALPHAS[right.index(max(right))])
    assert len(set(right)) > 1, "the case decides nothing"
    assert max(right) > 55, "the classes lie apart"
    for options, judged in (
        (GdaOptions(views=4, search=False, alpha=0.5), val),
        (GdaOptions(views=4, alpha=0.5), val[:0]),
    ):
        fixed = GaussianPrompts(options, clip, NAMES, torch.Generator())
        fixed.prepare(seen_by(clip, labels, judged))
        assert float(fixed.alpha) == 0.5


def test_what_gives_no_covariance_is_refused() -> None:
    clip = tiny_clip()
    own = GaussianPrompts(GdaOptions(views=0), clip, NAMES, torch.Generator())
    seen = seen_by(clip, torch.arange(3), torch.arange(0))
    rows = features_of(torch.arange(3))
    with pytest.raises(DataError, match="no covariance"):
        own.prepare(
            TrainingSet(
                clip,
                torch.arange(3),
                seen.val_labels,
                seen.class_features,
                lambda _: rows,
                seen.val_features,
                lambda _: rows[None],
            )
        )
    with pytest.raises(DataError, match="there are none"):
        own.prepare(seen_by(clip, torch.arange(0), torch.arange(0)))


def open_one(**options: object) -> tuple[OpenGaussianPrompts, TrainingSet]:
    clip = tiny_clip()
    own = OpenGaussianPrompts(GdaNewOptions(views=8, **options), clip, NAMES, torch.Generator())
    seen = seen_by(clip, torch.arange(30) % 3, torch.arange(30) % 3, views=8)
    own.prepare(seen)
    return own, seen


def test_a_new_class_is_the_features_nearest_to_its_text_and_copies_of_it() -> None:
    own, _ = open_one(neighbours=5, text_copies=3)
    text = unit(features_of(torch.tensor([1]), 5)).double()
    means, precision = own.new_classes(text)
    rows = own.rows.double()
    nearest = rows[torch.argsort(-(rows @ text[0]))[:5]]
    assert torch.allclose(means[0], (nearest.sum(dim=0) + 3 * text[0]) / 8)
    assert torch.allclose(precision, shrunk_precision(nearest - text))


def test_each_class_keeps_its_rule_whatever_it_is_asked_with() -> None:
    own, seen = open_one()
    scale = torch.tensor(20.0)
    texts = seen.class_features()
    new = unit(features_of(torch.tensor([0]), 6))
    alone, whole = (
        own.logit_line(names, part, scale)
        for names, part in ((NAMES, texts), ([*NAMES, "bird"], torch.cat([texts, new])))
    )
    assert alone is not None
    assert whole is not None
    assert torch.allclose(whole[0][:3], alone[0])
    assert torch.allclose(whole[1][:3], alone[1])
    two = own.logit_line(["bird", "cow"], torch.cat([new, texts[2:]]), scale)
    assert two is not None
    assert torch.allclose(two[0], whole[0][[3, 2]])


def test_as_a_model_asked_about_other_classes() -> None:
    clip = tiny_clip()
    pixels = torch.randn(12, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    batches = [dapt.Batch(pixels, torch.arange(12) % 3)]
    model = dapt.create_model(clip, "gda.base_to_new", NAMES).prepare(batches).eval()
    model.set_classes(["bird", "cow", "fish"])
    logits = model(pixels)
    assert logits.shape == (12, 3)
    assert torch.allclose(model.plain()(pixels), logits, atol=1e-3)
    assert torch.allclose(torch.export.export(model.plain(), (pixels,)).module()(pixels), logits, atol=1e-3)
    fixed = dapt.create_model(clip, "gda", NAMES).prepare(batches).eval()
    with pytest.raises(NotSupportedError, match="cannot name other classes"):
        fixed.set_classes(["bird"])
    fixed.set_classes(["cow", "cat"])
    assert fixed(pixels).shape == (12, 2)


def test_doubles_are_made_on_the_cpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """MPS has none: a tensor becomes one only after it was taken to the CPU."""
    taken: set[int] = set()
    cpu, double = Tensor.cpu, Tensor.double

    def to_cpu(tensor: Tensor) -> Tensor:
        found = cpu(tensor).clone()
        kept.append(found)
        taken.add(id(found))
        return found

    def to_double(tensor: Tensor) -> Tensor:
        assert id(tensor) in taken
        return double(tensor)

    kept: list[Tensor] = []
    monkeypatch.setattr(Tensor, "cpu", to_cpu)
    monkeypatch.setattr(Tensor, "double", to_double)
    prompts, seen = open_one()
    prompts.prepare(seen)
    texts = unit(torch.randn(4, seen.clip.embed_dim))
    assert prompts.logit_line(["new", *prompts.names[:3]], texts, seen.clip.logit_scale) is not None
    assert kept


def test_saved_rows_are_as_many_as_they_are_said_to_be() -> None:
    own, _ = open_one()
    again = OpenGaussianPrompts(GdaNewOptions(**own.saved_options()), tiny_clip(), NAMES, torch.Generator())
    again.load_state_dict(own.state_dict())
    assert torch.equal(again.rows, own.rows)
    with pytest.raises(ModelError, match="said to have 7 rows"):
        OpenGaussianPrompts.check_saved(GdaNewOptions(rows=7), own.state_dict())
