"""Every option of the Grad-CAM cue acts, and its maps are those of the formula."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dapt.config import make_config
from dapt.cues.base import CUES, Cue, CueContext, CueReport
from dapt.cues.quality import MaskQuality, compare_masks
from dapt.data.items import UNLABELLED, Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.images import image_tensor
from dapt.data.load.transforms import whole_transform
from dapt.data.resolve import load_data
from dapt.model.build import build_model
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import EPSILON, grad_cam, normalise_maps
from dapt.model.prompted_clip import PromptedClip
from helpers import make_csv, tiny_clip


@pytest.fixture
def items(tmp_path: Path) -> tuple[Item, ...]:
    return load_data(str(make_csv(tmp_path / "table"))).split("train")[:6]


@pytest.fixture
def model() -> PromptedClip:
    names = ["red square", "blue disc", "green bar", "white ring"]
    return build_model(make_config({"data": "-", "method": "maple", "depth": 3}), tiny_clip(), names)


def cue(source: str = "gradcam", seed: int = 1, **options: object) -> Cue:
    kind = CUES.get(source)
    context = CueContext(kind.options_type(**options), None, "binary", False, ImageCache(0), seed)
    return kind(context)


def coarse_maps(items, model: PromptedClip, labels=None) -> torch.Tensor:
    transform = whole_transform(model.clip.image.image_size, model.clip.preprocess)
    pixels = torch.stack([transform(image_tensor(item.path), None)[0] for item in items])
    labels = [item.label for item in items] if labels is None else labels
    return grad_cam(Classifier(model), pixels, torch.tensor(labels)).coarse


def fine(coarse: torch.Tensor) -> torch.Tensor:
    size = (32, 32)
    return torch.nn.functional.interpolate(coarse[:, None], size=size, mode="bilinear", align_corners=True)[:, 0]


def stacked(masks) -> torch.Tensor:
    return torch.stack([torch.zeros(32, 32) if mask is None else mask.float() for mask in masks])


def test_soft_maps_divided_by_the_image(items, model) -> None:
    found = stacked(cue(soft=True).prepare(items, model))
    maps = fine(coarse_maps(items, model))
    assert torch.allclose(found, maps / maps.amax(dim=(1, 2), keepdim=True), atol=1e-4)
    assert found.amax(dim=(1, 2)).tolist() == pytest.approx([1.0] * 6)


@pytest.mark.parametrize("size", [2, 4, 6])
def test_soft_maps_divided_by_the_batch(items, model, size: int) -> None:
    """By the maximum of each batch of `cue.batch_size` images plus 1e-6, as released."""
    found = stacked(cue(soft=True, normalise="batch", batch_size=size).prepare(items, model))
    expected = []
    for start in range(0, 6, size):
        maps = fine(coarse_maps(items[start : start + size], model))
        expected.append(maps / (maps.max() + 1e-6))
    assert torch.allclose(found, torch.cat(expected), atol=1e-3)
    tops = found.amax(dim=(1, 2))
    assert (tops < 0.999).any()
    assert not torch.allclose(found, stacked(cue(soft=True).prepare(items, model)), atol=1e-2)


def test_hard_maps_of_a_batch(items, model) -> None:
    hard = stacked(cue(normalise="batch").prepare(items, model))
    soft = stacked(cue(normalise="batch", soft=True).prepare(items, model))
    assert torch.equal(hard, (soft >= 0.5).float())
    assert not torch.equal(hard, stacked(cue(normalise="image").prepare(items, model)))


def test_the_published_constant_matters_for_small_maps() -> None:
    coarse = torch.full((1, 2, 2), 1e-6)
    assert normalise_maps(coarse, (4, 4), "batch").flatten().tolist() == pytest.approx([0.5] * 16)
    assert normalise_maps(coarse, (4, 4), "image").flatten().tolist() == pytest.approx([1.0] * 16)
    assert EPSILON == 1e-6


def test_corners_are_aligned() -> None:
    coarse = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])
    assert normalise_maps(coarse, (3, 5), "image")[0, 0].tolist() == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_the_threshold_itself_is_foreground(items, model, threshold: float) -> None:
    soft = stacked(cue(soft=True).prepare(items, model))
    source = cue(threshold=threshold)
    hard = source.prepare(items, model)
    for whole, mask in zip(soft, hard, strict=True):
        expected = whole >= threshold
        assert mask is None if expected.all() or not expected.any() else torch.equal(mask, expected)
    if threshold == 0:
        assert source.report.counts()["cue_full"] == 6
    if threshold == 1:
        assert all(int(mask.sum()) >= 1 for mask in hard)  # the maximum itself


def test_the_score_is_the_mean_over_all_logits(items, model) -> None:
    labels = torch.tensor([0, 1])
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = grad_cam(Classifier(model), pixels, labels)
    chosen = found.logits.gather(1, labels[:, None]).sum()
    assert float(found.score) == pytest.approx(float(chosen) / 8, rel=1e-5)
    grid = slice(1, 17)
    weights = found.gradients[:, grid].mean(dim=1, keepdim=True)
    expected = torch.relu((weights * found.activations[:, grid]).sum(dim=-1)).view(2, 4, 4)
    assert torch.allclose(found.coarse, expected, atol=1e-7)
    assert float(found.coarse.max()) > 0


def test_each_image_is_explained_for_its_own_class(items, model) -> None:
    others = [replace(item, label=(item.label + 1) % 4) for item in items]
    assert not torch.equal(
        stacked(cue(soft=True).prepare(items, model)), stacked(cue(soft=True).prepare(others, model))
    )


def test_unlabelled_images_are_explained_for_the_class_predicted(items, model) -> None:
    transform = whole_transform((32, 32), model.clip.preprocess)
    pixels = torch.stack([transform(image_tensor(item.path), None)[0] for item in items])
    predicted = Classifier(model)(pixels).argmax(dim=1).tolist()
    unlabelled = [replace(item, label=UNLABELLED if number % 2 else item.label) for number, item in enumerate(items)]
    named = [predicted[number] if number % 2 else item.label for number, item in enumerate(items)]
    expected = [replace(item, label=label) for item, label in zip(items, named, strict=True)]
    found = stacked(cue(soft=True).prepare(unlabelled, model))
    assert torch.equal(found, stacked(cue(soft=True).prepare(expected, model)))


def test_random_cells(items) -> None:
    def shares(**options: object) -> list[float]:
        many = [replace(items[0], name=f"{number}.png") for number in range(200)]
        return [float(mask.float().mean()) for mask in cue("random", **options).prepare(many, None) if mask is not None]

    for hide in (0.25, 0.5, 0.75):
        found = shares(grid=8, hide=hide)
        assert sum(found) / len(found) == pytest.approx(1 - hide, abs=0.02)
    masks = cue("random", grid=3).prepare(items, None)
    assert all(mask is None or (mask.shape, mask.dtype) == ((3, 3), torch.bool) for mask in masks)
    assert cue("random", hide=0.0).prepare(items, None) == [None] * 6  # full
    other = cue("random", seed=2).prepare(items, None)
    assert any(not torch.equal(a, b) for a, b in zip(cue("random").prepare(items, None), other, strict=True))


@pytest.mark.parametrize(
    ("mask", "kind"),
    [
        (torch.zeros(2, 2), "empty"),
        (torch.ones(2, 2), "full"),
        (None, "missing"),
        (torch.tensor([[0.0, 0.0], [0.0, 0.01]]), None),
        (torch.tensor([[1.0, 1.0], [1.0, 0.99]]), None),
        (torch.tensor([[True, False]]), None),
    ],
)
def test_what_is_a_cue_and_what_is_not(mask: torch.Tensor | None, kind: str | None) -> None:
    report = CueReport()
    found = report.add("a.png", mask)
    assert (found is None) == (kind is not None)
    assert (report.total, report.without) == (1, int(kind is not None))
    counts = {name: len(getattr(report, name)) for name in ("empty", "full", "missing", "bad")}
    assert counts == {name: int(name == kind) for name in counts}
    assert len(report.coverage) == int(kind is None)


def test_the_report_in_numbers() -> None:
    report = CueReport()
    for share in (1, 2, 3):
        mask = torch.zeros(4)
        mask[:share] = 1
        report.add("x", mask)
    report.add("full", torch.ones(4))
    report.bad.append("bad")
    report.total += 1
    assert report.summary() == (
        "foreground cues: 3 of 5 images, mean coverage 50%; the DAPT terms skip 2 images (1 full, 1 unreadable)"
    )
    assert report.counts() == {
        "cue_images": 5,
        "cue_usable": 3,
        "cue_empty": 0,
        "cue_full": 1,
        "cue_missing": 0,
        "cue_bad": 1,
    }


def test_quality_by_hand() -> None:
    quality = MaskQuality()
    true = torch.tensor([[True, True, False, False, False, False]])
    cue_mask = torch.tensor([[True, False, True, True, False, False]])
    compare_masks(cue_mask, true, quality)
    assert (quality.iou, quality.foreground_kept, quality.background_kept) == ([1 / 4], [1 / 2], [2 / 4])
    compare_masks(true, true, quality)
    assert quality.figures() == {"images": 2, "iou": 62.5, "foreground_kept": 75.0, "background_kept": 25.0}
    for useless in (torch.zeros_like(true), torch.ones_like(true)):
        compare_masks(cue_mask, useless, quality)
    assert len(quality.iou) == 2
    assert MaskQuality().figures() == {"images": 0, "iou": None, "foreground_kept": None, "background_kept": None}
    third = MaskQuality([1 / 3], [2 / 3], [0.0])
    assert third.figures() == {"images": 1, "iou": 33.333, "foreground_kept": 66.667, "background_kept": 0.0}
    told = "against 2 true masks: IoU 62.5%, foreground kept 75.0%, background kept 25.0%"
    assert quality.summary() == told
