"""What hidden pixels become."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from dapt.dapt_options import Fill
from dapt.data.batch import Batch
from dapt.errors import DataError
from dapt.model.needs import BACKGROUND, FOREGROUND, FULL
from dapt.model.views import ViewMaking, shaped, view_of, with_both_halves


def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(2, 1, 16, 16)
    masks[:, :, 4:12, 4:12] = 1
    return Batch(torch.randn(2, 3, 16, 16, generator=generator), torch.tensor([0, 1]), masks)


@pytest.mark.parametrize("fill", get_args(Fill))
def test_visible_pixels_stay_and_hidden_ones_do_not(fill: Fill) -> None:
    given, making = batch(), ViewMaking(fill)
    inside = given.masks.expand(-1, 3, -1, -1) > 0
    foreground, background = (view_of(given, name, making) for name in (FOREGROUND, BACKGROUND))
    assert torch.equal(foreground[inside], given.pixels[inside])
    assert torch.equal(background[~inside], given.pixels[~inside])
    hidden = foreground[~inside]
    assert torch.isfinite(hidden).all()
    assert not torch.equal(hidden, given.pixels[~inside])
    assert (float(hidden.abs().max()) == 0.0) == (fill == "mean")
    assert torch.equal(view_of(given, FULL, making), given.pixels)


def test_blur_keeps_a_flat_image_and_noise_repeats() -> None:
    given = batch()
    flat = Batch(torch.full((2, 3, 16, 16), 0.7), given.labels, given.masks)
    assert torch.allclose(view_of(flat, FOREGROUND, ViewMaking("blur")), flat.pixels, atol=1e-6)
    noise = ViewMaking("noise")
    assert torch.equal(view_of(given, FOREGROUND, noise), view_of(given, FOREGROUND, noise))


def test_no_masks_is_an_error() -> None:
    with pytest.raises(DataError, match="no masks"):
        view_of(Batch(torch.zeros(1, 3, 4, 4), torch.tensor([0])), FOREGROUND)


def test_inpaint_goes_on_with_what_is_seen() -> None:
    given = batch()
    flat = Batch(torch.full((2, 3, 16, 16), 0.7), given.labels, given.masks)
    for view in (FOREGROUND, BACKGROUND):
        assert torch.allclose(view_of(flat, view, ViewMaking("inpaint")), flat.pixels, atol=1e-5)


def test_exchange_puts_the_foreground_before_the_background_of_the_next_image() -> None:
    given = batch()
    colours = torch.tensor([0.2, 0.9])[:, None, None, None]
    objects = -3.0
    pixels = torch.where(given.masks > 0, torch.tensor(objects), colours.expand(2, 1, 16, 16)).expand(-1, 3, -1, -1)
    shown = view_of(Batch(pixels, given.labels, given.masks), FOREGROUND, ViewMaking("exchange"))
    inside = given.masks.expand(-1, 3, -1, -1) > 0
    assert torch.allclose(shown[inside], torch.tensor(objects))
    outside = shown.masked_select(~inside).view(2, -1)
    assert torch.allclose(outside, colours.flatten().flip(0)[:, None], atol=1e-5), "and nothing of its object"


def test_exchange_takes_no_background_from_an_image_without_a_usable_mask() -> None:
    given = batch()
    masks = given.masks.clone()
    masks[1] = 0
    lone = Batch(given.pixels, given.labels, masks, torch.tensor([True, False]))
    hidden = view_of(lone, FOREGROUND, ViewMaking("exchange"))[0]
    assert float(hidden.masked_select(masks[0].expand(3, -1, -1) == 0).abs().max()) == 0.0


def test_an_image_that_is_alone_is_not_shown_on_its_own_background() -> None:
    given = batch()
    lone = Batch(given.pixels[:1], given.labels[:1], given.masks[:1])
    hidden = view_of(lone, FOREGROUND, ViewMaking("exchange"))
    assert torch.equal(hidden, view_of(lone, FOREGROUND))


@pytest.mark.parametrize("usable", [True, False])
def test_a_part_of_a_batch_is_seen_as_the_whole_one_is(usable: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    pixels, labels = torch.randn(4, 3, 16, 16, generator=generator), torch.arange(4)
    masks = batch().masks.repeat(2, 1, 1, 1)
    known = torch.tensor([True, usable, True, True])
    making = ViewMaking("exchange", dilate=0.1)
    whole = view_of(Batch(pixels, labels, masks, known), FOREGROUND, making)
    for first in (0, 2):
        own, ahead = slice(first, first + 2), slice((first - 1) % 4, (first - 1) % 4 + 1)
        before = (pixels[ahead], masks[ahead], known[ahead])
        part = Batch(pixels[own], labels[own], masks[own], known[own], before=before)
        assert torch.allclose(view_of(part, FOREGROUND, making), whole[own], atol=1e-6)


def test_masks_that_are_dilated_away_are_not_usable() -> None:
    given = batch()
    assert with_both_halves(given, ViewMaking()) is given
    assert with_both_halves(given, ViewMaking(dilate=-0.125)).usable.tolist() == [True, True]
    for dilate in (-0.5, 0.5):
        assert with_both_halves(given, ViewMaking(dilate=dilate)).usable.tolist() == [False, False]
    known = Batch(given.pixels, given.labels, given.masks, torch.tensor([True, False]))
    assert with_both_halves(known, ViewMaking(dilate=0.125)).usable.tolist() == [True, False]


def test_the_least_growth_is_a_pixel() -> None:
    mask = batch().masks
    assert shaped(mask, ViewMaking(dilate=0.001)).sum() > mask.sum()
    assert shaped(mask, ViewMaking(dilate=-0.001)).sum() < mask.sum()
    assert not torch.equal(shaped(mask, ViewMaking(soften=0.001)), mask)


@pytest.mark.parametrize(("dilate", "sides"), [(0.125, (2, 14)), (-0.125, (6, 10)), (0.0, (4, 12))])
def test_masks_grow_and_shrink_by_a_share_of_the_side(dilate: float, sides: tuple[int, int]) -> None:
    expected = torch.zeros(2, 1, 16, 16)
    expected[:, :, sides[0] : sides[1], sides[0] : sides[1]] = 1
    assert torch.equal(shaped(batch().masks, ViewMaking(dilate=dilate)), expected)


def test_soft_masks_show_both_sides_of_the_outline_in_part() -> None:
    mask = batch().masks
    soft = shaped(mask, ViewMaking(soften=0.25))
    assert float(soft.min()) >= 0
    assert float(soft.max()) <= 1
    assert 0 < float(soft[0, 0, 3, 8]) < 1
    assert 0 < float(soft[0, 0, 4, 8]) < 1
    assert float(soft[0, 0, 0, 0]) < 0.05
    given = batch()
    both = [view_of(given, view, ViewMaking(soften=0.25)) for view in (FOREGROUND, BACKGROUND)]
    assert torch.allclose(both[0] + both[1], given.pixels, atol=1e-6)
