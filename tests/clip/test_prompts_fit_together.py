"""What no tower could put in place in one way is refused where it is made."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.adapters import AdaptedPrompts
from dapt.clip.image_tower import HookedImageTower
from dapt.clip.prompts import Prompts
from dapt.errors import NotSupportedError
from helpers import tiny_model


def vectors(*counts: int, width: int = 32) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(5)
    return tuple(torch.randn(count, width, generator=generator) for count in counts)


@pytest.mark.parametrize("kind", [Prompts, AdaptedPrompts])
@pytest.mark.parametrize(
    ("ctx", "deep", "told"),
    [(None, (2,), "there are 0, .* 2\\."), (3, (2,), "there are 3, .* 2\\."), (2, (2, 3), "there are 2, .* 2, 3\\.")],
)
def test_deep_visual_prompts_have_places_to_take(kind, ctx, deep, told) -> None:
    with pytest.raises(NotSupportedError, match=told):
        kind(visual_ctx=None if ctx is None else vectors(ctx)[0], visual_deep=vectors(*deep))


def test_deep_text_prompts_are_as_many_at_every_block() -> None:
    with pytest.raises(NotSupportedError, match=r"as many at each: there are 2, 3\."):
        Prompts(text_deep=vectors(2, 3, width=24))
    Prompts(text_ctx=vectors(4, width=24)[0], text_deep=vectors(2, 2, width=24))


@pytest.mark.parametrize("prompts", [Prompts(), Prompts(visual_ctx=vectors(2)[0])])
def test_what_is_allowed_is_the_same_in_both_towers(clip, pixels, prompts) -> None:
    whole = Prompts(visual_ctx=prompts.visual_ctx, visual_deep=vectors(2, 2) if prompts.visual_ctx is not None else ())
    hooked = HookedImageTower(tiny_model(quick_gelu=True).eval().visual)
    for each in (prompts, whole):
        assert torch.allclose(hooked.encode(pixels, each), clip.image.encode(pixels, each), atol=1e-5)
