"""Pictures put together: which pixels change, and which must not."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dapt.evaluation.audit.composites import (
    blanked,
    box_of,
    feather_of,
    feathered,
    filled_in,
    fitted,
    grown,
    laid_over,
    share_of,
    strip_beside,
    tiled,
)


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def disc(height: int, width: int, *, row: float = 0.5, column: float = 0.5, radius: float = 0.25) -> Tensor:
    rows = torch.arange(height)[:, None] - row * height
    columns = torch.arange(width)[None] - column * width
    return rows**2 + columns**2 < (radius * min(height, width)) ** 2


def test_feather_grows_with_the_picture() -> None:
    assert [feather_of((side, 2 * side)) for side in (16, 64, 112, 224, 336)] == [1, 1, 1, 2, 3]


@pytest.mark.parametrize("radius", [1, 3])
def test_object_and_background_are_untouched_but_for_the_feather(radius: int) -> None:
    inside = disc(40, 60)
    front, behind = noise(40, 60, 1), noise(40, 60, 2)
    mixed = laid_over(front, behind, feathered(inside, radius))
    deep = ~grown(~inside, radius)
    far = ~grown(inside, radius)
    assert deep.any()
    assert torch.equal(mixed[:, deep], front[:, deep])
    assert torch.equal(mixed[:, far], behind[:, far])
    between = ~deep & ~far
    low, high = torch.minimum(front, behind), torch.maximum(front, behind)
    assert bool(((mixed >= low) & (mixed <= high))[:, between].all())
    assert not torch.equal(mixed[:, between], front[:, between])


def test_no_feather_where_the_picture_ends() -> None:
    inside = torch.zeros(20, 20, dtype=torch.bool)
    inside[:10] = True
    alpha = feathered(inside, 2)
    assert bool((alpha[:8] == 1).all())
    assert bool((alpha[12:] == 0).all())
    assert bool(((alpha[8:12] > 0) & (alpha[8:12] < 1)).all())


def test_boxes_and_strips() -> None:
    inside = torch.zeros(30, 50, dtype=torch.bool)
    inside[5:9, 20:41] = True
    assert box_of(inside) == (5, 20, 9, 41)
    assert strip_beside((5, 20, 9, 41), (30, 50)) == (9, 0, 30, 50)
    assert strip_beside((0, 30, 30, 50), (30, 50)) == (0, 0, 30, 30)
    assert share_of((9, 0, 30, 50), (30, 50)) == pytest.approx(0.7)


@pytest.mark.parametrize("strip", [(9, 0, 30, 50), (0, 0, 5, 50), (0, 0, 30, 20), (0, 41, 30, 50)])
def test_tiles_are_the_strip_and_the_rest_stays(strip: tuple[int, int, int, int]) -> None:
    picture, box = noise(30, 50), (5, 20, 9, 41)
    covered = tiled(picture, box, strip)
    outside = torch.ones(30, 50, dtype=torch.bool)
    outside[5:9, 20:41] = False
    assert torch.equal(covered[:, outside], picture[:, outside])
    height, width = strip[2] - strip[0], strip[3] - strip[1]
    for row in range(5, 9):
        for column in range(20, 41):
            source = picture[:, strip[0] + (row - strip[0]) % height, strip[1] + (column - strip[1]) % width]
            assert torch.equal(covered[:, row, column], source)


@given(
    st.integers(2, 40),
    st.integers(2, 40),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.05, 1.2),
)
def test_filling_in_leaves_what_is_known(height: int, width: int, row: float, column: float, radius: float) -> None:
    hole = disc(height, width, row=row, column=column, radius=radius)
    hole[0, 0] = False
    picture = noise(height, width)
    filled = filled_in(picture, hole)
    assert torch.equal(filled[:, ~hole], picture[:, ~hole])
    low, high = picture[:, ~hole].min(), picture[:, ~hole].max()
    assert bool((filled >= low).all())
    assert bool((filled <= high).all())


def test_filling_in_shows_nothing_of_the_object() -> None:
    hole = disc(48, 48)
    one, two = noise(48, 48), noise(48, 48)
    two[:, hole] = 255 - two[:, hole]
    assert torch.equal(filled_in(one, hole), filled_in(two, hole))
    flat = torch.full((3, 48, 48), 90, dtype=torch.uint8)
    flat[:, hole] = 255
    assert bool((filled_in(flat, hole) == 90).all())


def test_blank_box() -> None:
    picture = noise(20, 20)
    covered = blanked(picture, (2, 3, 5, 9), torch.tensor([1, 2, 3], dtype=torch.uint8))
    assert covered[:, 2:5, 3:9].flatten(1).unique(dim=1).tolist() == [[1], [2], [3]]
    covered[:, 2:5, 3:9] = picture[:, 2:5, 3:9]
    assert torch.equal(covered, picture)


@pytest.mark.parametrize("size", [(20, 30), (30, 20), (64, 65), (33, 7)])
def test_backgrounds_fill_another_size_unstretched(size: tuple[int, int]) -> None:
    picture = noise(32, 48)
    assert fitted(picture, (32, 48)) is picture
    assert tuple(fitted(picture, size).shape) == (3, *size)
    ramp = torch.arange(96, dtype=torch.uint8).expand(3, 64, 96)
    middle = fitted(ramp, (64, 32))[0].float()
    assert middle[0].tolist() == list(range(32, 64)), "the middle, at its own scale"


@pytest.mark.parametrize("size", [(10, 60_000), (60_000, 10)])
def test_the_background_of_a_strip_takes_little_memory(size: tuple[int, int]) -> None:
    """Resized before it is cut it would have 60,000 pixels to both sides."""
    ramp = torch.arange(100, dtype=torch.uint8)[:, None].expand(3, 100, 100)
    strip = fitted(ramp if size[0] < size[1] else ramp.transpose(1, 2), size)
    assert tuple(strip.shape) == (3, *size)
    assert (strip.float() - 50).abs().max() <= 1, "the middle"
