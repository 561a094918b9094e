"""Maps at another size: by the nearest pixel, or smoothly."""

from __future__ import annotations

import torch

from dapt.data.load.resize import resize_map


def test_the_nearest_pixel_keeps_values_whole() -> None:
    mask = torch.tensor([[0, 1], [2, 3]], dtype=torch.uint8)
    doubled = resize_map(mask, (4, 4), soft=False)
    assert doubled.dtype == torch.float32
    assert doubled.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    assert resize_map(doubled, (2, 2), soft=False).tolist() == [[0, 1], [2, 3]]
    # centres of three cells over five pixels: 0.83, 2.5 and 4.17
    assert resize_map(torch.arange(5.0)[None], (1, 3), soft=False).tolist() == [[0, 2, 4]]


def test_softly_between_the_centres() -> None:
    found = resize_map(torch.tensor([[0.0, 1.0]]), (1, 4), soft=True)
    assert found.tolist() == [[0, 0.25, 0.75, 1]]


def test_of_the_same_size_nothing_changes_but_the_type() -> None:
    mask = torch.tensor([[True, False]])
    for soft in (True, False):
        found = resize_map(mask, (1, 2), soft=soft)
        assert found.dtype == torch.float32
        assert found.tolist() == [[1, 0]]
