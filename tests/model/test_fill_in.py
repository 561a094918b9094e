"""Filling holes by pull and push."""

from __future__ import annotations

import pytest
import torch

from dapt.model.fill_in import filled_from_around


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (16, 16), (13, 32)])
def test_known_pixels_stay_and_holes_take_values_between_the_known_ones(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(3, 2, *size, generator=generator)
    known = (torch.rand(3, 1, *size, generator=generator) < 0.3).float()
    known[:, :, 0, 0] = 1
    found = filled_from_around(values, known)
    seen = known.expand_as(values) > 0
    assert torch.equal(found[seen], values[seen])
    for image, whole, mask in zip(found, values, seen, strict=True):
        low, high = whole[mask].min(), whole[mask].max()
        assert float(image.min()) >= float(low) - 1e-5
        assert float(image.max()) <= float(high) + 1e-5


def test_what_is_hidden_has_no_influence() -> None:
    known = torch.zeros(1, 1, 8, 8)
    known[..., :4] = 1
    one = torch.rand(1, 3, 8, 8)
    other = torch.where(known > 0, one, torch.full_like(one, 99.0))
    assert torch.equal(filled_from_around(one, known), filled_from_around(other, known))


def test_a_picture_of_which_nothing_is_known_is_zero() -> None:
    assert float(filled_from_around(torch.rand(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)).abs().max()) == 0.0
