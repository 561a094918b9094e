"""ProLIP: only the projection behind the image tower is trained, and it names any classes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import dapt
from dapt.clip.frozen import FrozenClip
from dapt.errors import DataError, NotSupportedError
from dapt.methods.prolip import ProlipOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.projection import ProjectionPrompts, images_per_class
from helpers import tiny_clip

NAMES = ["cat", "dog", "cow"]


def build(clip: FrozenClip, **options: object) -> ProjectionPrompts:
    return ProjectionPrompts(ProlipOptions(**options), clip, NAMES, torch.Generator())


def seen(clip: FrozenClip, labels: list[int]) -> TrainingSet:
    def never(*_: object) -> Tensor:
        raise AssertionError("not needed")

    return TrainingSet(clip, torch.tensor(labels), torch.tensor([]), never, never, never, never)


def pixels(side: int = 32) -> Tensor:
    return torch.randn(4, 3, side, side, generator=torch.Generator().manual_seed(3))


def test_it_starts_as_zero_shot_and_trains_the_matrix_alone() -> None:
    clip = tiny_clip()
    made = build(clip)
    assert [name for name, _ in made.named_parameters()] == ["visual_proj"]
    assert torch.equal(made.visual_proj, clip.model.visual.proj)
    assert sorted(made.state_dict()) == ["anchor", "visual_proj"]
    assert (made.trains_visual, made.trains_text, made.trains_logits, made.fixed_classes) == (True, False, False, False)
    zero_shot = dapt.create_model(clip, "zero_shot", NAMES).eval()
    model = dapt.create_model(clip, "prolip", NAMES, anchor=0.5).prepare([dapt.Batch(pixels(), torch.arange(4) % 3)])
    assert torch.allclose(model.eval()(pixels()), zero_shot(pixels()), atol=1e-4)


def test_the_frozen_model_keeps_its_own_matrix() -> None:
    clip = tiny_clip()
    made = build(clip)
    with torch.no_grad():
        made.visual_proj.add_(1.0)
    assert not torch.equal(made.visual_proj, clip.model.visual.proj)
    assert torch.equal(made.start, clip.model.visual.proj)


@pytest.mark.parametrize(
    ("labels", "shots"), [([0, 1, 2], 1), ([0, 0, 1, 1, 2, 2], 2), ([0, 0, 0, 1], 2), ([2, 2, 2], 3), ([0, 0, 1], 1.5)]
)
def test_lambda_is_one_over_the_mean_number_of_images_of_a_class(labels: list[int], shots: float) -> None:
    clip = tiny_clip()
    assert images_per_class(torch.tensor(labels)) == shots
    made = build(clip)
    made.prepare(seen(clip, labels))
    assert float(made.anchor) == pytest.approx(1 / shots)


def test_lambda_that_is_given_is_used() -> None:
    clip = tiny_clip()
    for anchor in (0.0, 0.3):
        made = build(clip, anchor=anchor)
        made.prepare(seen(clip, [0, 1]))
        assert float(made.anchor) == pytest.approx(anchor)


def test_without_images_there_is_no_lambda() -> None:
    clip = tiny_clip()
    with pytest.raises(DataError, match="no"):
        build(clip).prepare(seen(clip, []))


def test_the_penalty_is_a_sum_over_entries() -> None:
    made = build(tiny_clip(), anchor=0.25)
    assert float(made.penalty().detach()) == 0
    with torch.no_grad():
        made.visual_proj[0, :3] += 2.0
    assert float(made.penalty().detach()) == pytest.approx(0.25 * 3 * 4, rel=1e-5)


def test_a_bias_stays_as_it_is() -> None:
    made = build(tiny_clip())
    raw = torch.randn(2, 32)
    plain = made.map_image(raw)
    made.bias = torch.arange(32.0)
    assert torch.allclose(made.map_image(raw), plain + torch.arange(32.0), atol=1e-5)


def test_towers_without_a_projection_are_refused() -> None:
    resnet = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    with pytest.raises(NotSupportedError, match="none to train"):
        build(resnet)


def test_new_classes_are_named_and_the_plain_form_agrees() -> None:
    clip = tiny_clip()
    model = dapt.create_model(clip, "prolip", NAMES).prepare([dapt.Batch(pixels(), torch.arange(4) % 3)])
    with torch.no_grad():
        model.prompts.visual_proj.add_(0.1 * torch.randn(32, 32, generator=torch.Generator().manual_seed(5)))
    model.eval()
    model.set_classes(["horse", "bird"])
    logits = model(pixels())
    assert logits.shape == (4, 2)
    plain = model.plain()
    assert torch.allclose(plain(pixels()), logits, atol=1e-4)
    h = clip.image.encode(pixels(), model.prompts())
    features = torch.nn.functional.normalize(h @ model.prompts.visual_proj, dim=1)
    assert torch.allclose(logits, clip.logit_scale * features @ model.encode_text().t(), atol=1e-4)
