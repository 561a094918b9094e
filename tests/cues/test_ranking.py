"""Cells ranked by colour along a graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dapt.cues.ranking import KEPT, cell_colours, lab, ranking, scaled, spread_by_colour, unlike_the_border

GRID = 8


def picture(box: tuple[slice, slice], *, seed: int = 0) -> torch.Tensor:
    photo = torch.randint(60, 80, (3, 8 * GRID, 8 * GRID), generator=torch.Generator().manual_seed(seed))
    photo[0, box[0], box[1]] += 150
    return photo.to(torch.uint8)


def colours_of(*photos: torch.Tensor) -> torch.Tensor:
    return torch.stack([cell_colours(photo, GRID) for photo in photos])


def test_colours_are_those_of_cie() -> None:
    """White, and sRGB red and blue (Lab 53.24, 80.09, 67.20 and 32.30, 79.19, -107.86)."""
    found = 100 * lab(torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    expected = [[100, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [0, 0, 0]]
    assert np.allclose(found.numpy(), expected, atol=0.05)


def test_cells_are_means() -> None:
    photo = torch.zeros(3, 16, 24, dtype=torch.uint8)
    photo[:, :, 12:] = 255
    found = cell_colours(photo, 2)
    assert torch.allclose(100 * found[:, 0], torch.tensor([0.0, 100, 0, 100]), atol=0.1)


def test_what_is_said_spreads_as_the_formula_says() -> None:
    colours = torch.rand(2, GRID**2, 3, generator=torch.Generator().manual_seed(0))
    found = ranking(colours, 0.5)
    for image in range(2):
        weights = torch.zeros(GRID**2, GRID**2, dtype=torch.double)
        for a in range(GRID**2):
            for b in range(GRID**2):
                (y, x), (v, u) = divmod(a, GRID), divmod(b, GRID)
                rim = all(t in (0, GRID - 1) or s in (0, GRID - 1) for t, s in ((y, x), (v, u)))
                if a != b and ((y - v) ** 2 + (x - u) ** 2 <= 4 or rim):
                    weights[a, b] = torch.exp(-(colours[image, a] - colours[image, b]).norm().double() / 0.5) + 1e-5
        expected = torch.linalg.inv(torch.diag(weights.sum(1)) - KEPT * weights)
        expected.fill_diagonal_(0)
        assert torch.allclose(found[image].double(), expected, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    "box", [(slice(24, 40), slice(24, 40)), (slice(16, 32), slice(8, 48)), (slice(40, 56), slice(8, 24))]
)
def test_what_differs_from_the_border_is_found_wherever_it_is(box: tuple[slice, slice]) -> None:
    photo = picture(box)
    found = unlike_the_border(colours_of(photo), 0.07)[0]
    inside = torch.zeros(GRID, GRID, dtype=torch.bool)
    inside[slice(box[0].start // 8, box[0].stop // 8), slice(box[1].start // 8, box[1].stop // 8)] = True
    assert float(found[inside].min()) > float(found[~inside].max()) + 0.3


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_one_colour_has_no_foreground(value: int) -> None:
    """Its graph has a middle, whatever the colour: that is no object. Nor are steps of a byte that nobody sees."""
    flat = torch.full((3, 8 * GRID, 8 * GRID), value, dtype=torch.uint8)
    uneven = flat.clone()
    uneven[:, 3 * GRID : 5 * GRID, 3 * GRID : 5 * GRID] ^= 1
    seen = picture((slice(24, 40), slice(24, 40)))
    found = unlike_the_border(colours_of(flat, uneven, seen), 0.07)
    assert not found[:2].any()
    assert float(found[2].max()) == 1


def test_pictures_of_a_batch_do_not_meet() -> None:
    photos = [picture((slice(16, 32), slice(16, 32))), picture((slice(32, 56), slice(24, 40)), seed=1)]
    both = unlike_the_border(colours_of(*photos), 0.07)
    for photo, found in zip(photos, both, strict=True):
        assert torch.allclose(unlike_the_border(colours_of(photo), 0.07)[0], found, atol=1e-4)


def test_a_picture_of_one_colour_is_ranked_without_fault() -> None:
    found = unlike_the_border(torch.zeros(1, GRID**2, 3), 0.07)
    assert torch.isfinite(found).all()


def test_a_map_spreads_to_what_is_of_like_colour() -> None:
    """Of nine cells of the object two are said; all are heard."""
    box = (slice(16, 40), slice(16, 40))
    said = torch.zeros(1, GRID, GRID)
    said[0, 2, 2] = said[0, 2, 3] = 1
    found = spread_by_colour(said, colours_of(picture(box)), 0.07)[0]
    inside = torch.zeros(GRID, GRID, dtype=torch.bool)
    inside[2:5, 2:5] = True
    assert float(found[inside].min()) > 2 * float(found[~inside].max())


def test_scaled() -> None:
    values = torch.tensor([[[2.0], [4.0], [3.0]], [[1.0], [1.0], [1.0]]])
    assert scaled(values)[..., 0].tolist() == [[0.0, 1.0, 0.5], [0.0, 0.0, 0.0]]
