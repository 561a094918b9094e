"""Grad-CAM against differences of the score itself, and the scaling of its maps by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import dapt
from dapt.errors import NotSupportedError
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import CamResult, grad_cam, normalise_maps
from helpers import tiny_clip

PIXELS = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
TARGETS = torch.tensor([1, 0])


@pytest.fixture(scope="module")
def classify() -> Classifier:
    return Classifier(dapt.create_model(tiny_clip(), "maple", ["red square", "blue disc", "green bar"], depth=2))


@pytest.fixture(scope="module")
def found(classify: Classifier) -> CamResult:
    return grad_cam(classify, PIXELS, TARGETS)


def test_shapes_and_logits(classify: Classifier, found: CamResult) -> None:
    assert torch.allclose(found.logits, classify(PIXELS), atol=1e-4)
    assert found.coarse.shape == (2, 4, 4)
    assert found.activations.shape == found.gradients.shape
    assert float(found.coarse.min()) >= 0
    chosen = found.logits[[0, 1], TARGETS]
    assert float(found.score) == pytest.approx(float(chosen.sum()) / found.logits.numel(), rel=1e-5)


def test_gradients_are_slopes_of_the_score(classify: Classifier, found: CamResult) -> None:
    """The score is computed again with the tokens moved a little against and along the gradient."""
    norm = classify.model.clip.image.last_norm()
    step = 1e-3 * found.gradients / found.gradients.norm()
    scores = []
    for sign in (1, -1):
        handle = norm.register_forward_hook(lambda module, args, output, s=sign: output + s * step)
        try:
            logits = classify(PIXELS).double()
        finally:
            handle.remove()
        scores.append(float(logits[[0, 1], TARGETS].sum()) / logits.numel())
    expected = 2e-3 * float(found.gradients.norm())
    assert scores[0] - scores[1] == pytest.approx(expected, rel=0.05)


def test_maps_are_weighted_sums_over_the_patches(found: CamResult) -> None:
    for image in range(2):
        activations, gradients = found.activations[image, 1:17], found.gradients[image, 1:17]
        weights = [float(gradients[:, channel].mean()) for channel in range(activations.shape[1])]
        for patch in (0, 5, 15):
            total = sum(weight * float(value) for weight, value in zip(weights, activations[patch], strict=True))
            assert float(found.coarse[image, patch // 4, patch % 4]) == pytest.approx(max(total, 0.0), abs=1e-6)


def test_nothing_of_the_model_changes(classify: Classifier) -> None:
    before = classify(PIXELS)
    grad_cam(classify, PIXELS, TARGETS)
    assert torch.equal(classify(PIXELS), before)
    with torch.no_grad():  # whatever mode the caller is in
        again = grad_cam(classify, PIXELS, TARGETS)
    assert torch.equal(again.coarse, grad_cam(classify, PIXELS, TARGETS).coarse)


def test_a_tower_that_is_no_vit() -> None:
    clip = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    classify = Classifier(dapt.create_model(clip, "coop", ["cat"], n_ctx=2))
    with pytest.raises(NotSupportedError):
        grad_cam(classify, torch.zeros(1, 3, 64, 64), torch.tensor([0]))


def test_each_map_by_its_own_maximum_or_all_by_that_of_the_batch() -> None:
    coarse = torch.tensor([[[0.0, 2.0], [4.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]])
    own = normalise_maps(coarse, (2, 2))
    assert torch.allclose(own, torch.tensor([[[0.0, 0.5], [1.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]]))
    batch = normalise_maps(coarse, (2, 2), by="batch")
    assert torch.allclose(batch, coarse / (4 + 1e-6))
    tiny = normalise_maps(coarse * 1e-6, (2, 2), by="batch")
    assert float(tiny.max()) == pytest.approx(4 / 5), "the constant matters for maps as small as it"


def test_corners_stay_where_they_are() -> None:
    fine = normalise_maps(torch.tensor([[[0.0, 1.0], [0.0, 1.0]]]), (3, 5))
    assert torch.allclose(fine[0], torch.linspace(0, 1, 5).expand(3, 5))
    assert torch.equal(F.relu(fine), fine)
