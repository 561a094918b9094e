"""What hidden pixels become."""

from __future__ import annotations

import pytest
import torch

from dapt.data.batch import Batch
from dapt.errors import DataError
from dapt.model.needs import BACKGROUND, FOREGROUND, FULL
from dapt.model.views import view_of


def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(2, 1, 16, 16)
    masks[:, :, 4:12, 4:12] = 1
    return Batch(torch.randn(2, 3, 16, 16, generator=generator), torch.tensor([0, 1]), masks)


@pytest.mark.parametrize("fill", ["mean", "blur", "noise"])
def test_visible_pixels_stay_and_hidden_ones_do_not(fill: str) -> None:
    given = batch()
    inside = given.masks.expand(-1, 3, -1, -1) > 0
    foreground, background = (view_of(given, name, fill) for name in (FOREGROUND, BACKGROUND))
    assert torch.equal(foreground[inside], given.pixels[inside])
    assert torch.equal(background[~inside], given.pixels[~inside])
    hidden = foreground[~inside]
    assert torch.isfinite(hidden).all()
    assert not torch.equal(hidden, given.pixels[~inside])
    assert (float(hidden.abs().max()) == 0.0) == (fill == "mean")
    assert torch.equal(view_of(given, FULL, fill), given.pixels)


def test_blur_keeps_a_flat_image_and_noise_repeats() -> None:
    given = batch()
    flat = Batch(torch.full((2, 3, 16, 16), 0.7), given.labels, given.masks)
    assert torch.allclose(view_of(flat, FOREGROUND, "blur"), flat.pixels, atol=1e-6)
    assert torch.equal(view_of(given, FOREGROUND, "noise"), view_of(given, FOREGROUND, "noise"))


def test_no_masks_is_an_error() -> None:
    with pytest.raises(DataError, match="no masks"):
        view_of(Batch(torch.zeros(1, 3, 4, 4), torch.tensor([0])), FOREGROUND)
