"""When images run by few kernels, and what they may be told."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.few_image_kernels import MOST_PROMPTS, FewImageKernels
from dapt.clip.prompts import NO_PROMPTS, Prompts
from helpers import tiny_clip


@pytest.fixture
def clip():
    clip = tiny_clip(quick_gelu=True)
    clip.savings.profile = "cuda"
    return clip


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each pass by few kernels had."""
    found: list[int] = []
    read = FewImageKernels.read

    def counted(self, images, prompts):
        found.append(len(images))
        return read(self, images, prompts)

    monkeypatch.setattr(FewImageKernels, "read", counted)
    return found


def visual(clip, count: int, deep: int = 1) -> Prompts:
    generator = torch.Generator().manual_seed(1)
    drawn = [torch.randn(count, clip.image.width, generator=generator) * 0.3 for _ in range(1 + deep)]
    return Prompts(visual_ctx=drawn[0], visual_deep=tuple(drawn[1:]))


def test_images_run_by_few_kernels_on_a_gpu_alone(clip, pixels, passes) -> None:
    clip.image.encode(pixels, visual(clip, 2))
    clip.image.encode(pixels, NO_PROMPTS)
    assert passes == [3, 3]
    for profile in ("auto", "cpu"):
        clip.savings.profile = profile
        clip.image.encode(pixels, visual(clip, 2))
    assert passes == [3, 3]


def test_prompts_that_outnumber_their_worth_are_keys_and_values_alone(clip, pixels, passes) -> None:
    most = clip.model.visual.positional_embedding.shape[0] // MOST_PROMPTS
    clip.image.encode(pixels, visual(clip, most))
    assert len(passes) == 1
    many = clip.image.encode(pixels, visual(clip, most + 1))
    assert len(passes) == 1
    clip.savings.profile = "cpu"
    assert torch.equal(many, clip.image.encode(pixels, visual(clip, most + 1)))


def test_what_is_computed_again_in_the_backward_pass_runs_as_before(clip, pixels, passes) -> None:
    clip.image.checkpointing = True
    clip.image.encode(pixels, visual(clip, 2))
    assert not passes
    with torch.no_grad():
        clip.image.encode(pixels, visual(clip, 2))
    assert passes == [3]


def test_the_pixels_and_the_prompts_stay_as_they_were(clip, pixels) -> None:
    prompts, before = visual(clip, 2), pixels.clone()
    copies = [part.clone() for part in (prompts.visual_ctx, *prompts.visual_deep)]
    clip.image.encode(pixels, prompts)
    assert torch.equal(pixels, before)
    assert all(map(torch.equal, (prompts.visual_ctx, *prompts.visual_deep), copies))


def test_a_norm_that_somebody_looks_at_is_called(clip, pixels, passes) -> None:
    seen: list[torch.Size] = []
    clip.model.visual.transformer.resblocks[0].ln_1.register_forward_hook(lambda *args: seen.append(args[2].shape))
    clip.image.encode(pixels, visual(clip, 2))
    assert len(passes) == len(seen) == 1
