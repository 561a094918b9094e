"""What the untuned model sees in backgrounds, held against the plain way."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from backgrounds import ITEMS, image, masks

from dapt.data.items import Item
from dapt.data.load.transforms import whole_transform
from dapt.model.views import ViewMaking
from dapt.runs.untuned_views import background_logits, text_features
from helpers import tiny_clip

TEXTS = ["a photo of grass.", "a photo of the sky.", "a photo of sand."]


def plain(clip, item: Item, shown: torch.Tensor) -> torch.Tensor:
    pixels, _ = whole_transform(clip.image.image_size, clip.preprocess)(image(item), None)
    features = F.normalize(clip.image.encode((pixels * shown)[None]).float())
    texts = torch.cat([F.normalize(clip.text.encode(clip.tokenizer.plain([text])).float()) for text in TEXTS])
    return (clip.logit_scale * features @ texts.t())[0]


@pytest.mark.parametrize("batch_size", [2, 100])
def test_the_background_of_each_image(batch_size: int) -> None:
    clip = tiny_clip()
    found = background_logits(clip, ITEMS, masks(), TEXTS, image, batch_size=batch_size)
    assert found.shape == (5, 3)
    corner = torch.ones(1, 32, 32)
    corner[:, :16, :16] = 0
    shown = [corner, torch.ones(1, 32, 32), 1 - corner, torch.zeros(1, 32, 32), corner]
    for row, item, part in zip(found, ITEMS, shown, strict=True):
        assert torch.allclose(row, plain(clip, item, part), atol=1e-4), item.name


def test_fill_and_soft_maps_reach_the_view() -> None:
    clip = tiny_clip()
    soft = [torch.full((2, 2), 0.5)]
    makings = [ViewMaking(fill) for fill in ("mean", "blur", "noise")]
    found = [background_logits(clip, ITEMS[:1], soft, TEXTS, image, soft=True, making=making) for making in makings]
    assert torch.allclose(found[0][0], plain(clip, ITEMS[0], torch.full((1, 32, 32), 0.5)), atol=1e-4)
    assert not any(torch.allclose(found[0], other, atol=1e-3) for other in found[1:])


def test_no_images() -> None:
    assert background_logits(tiny_clip(), [], [], TEXTS, image).shape == (0, 3)
    assert text_features(tiny_clip(), TEXTS).shape == (3, 32)
