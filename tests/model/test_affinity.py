"""Maps spread along attention, by hand."""

from __future__ import annotations

import torch

from dapt.model.affinity import boxes_of, spread_by_attention


def test_boxes() -> None:
    maps = torch.zeros(2, 4, 5)
    maps[0, 1, 1], maps[0, 2, 3], maps[0, 0, 0] = 1.0, 0.5, 0.39
    maps[1] = 1.0
    found = boxes_of(maps, 0.4)
    expected = torch.zeros(4, 5)
    expected[1:3, 1:4] = 1
    assert torch.equal(found[0], expected)
    assert torch.equal(found[1], torch.ones(4, 5))


def test_patches_that_attend_to_nothing_else_keep_their_values() -> None:
    maps = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(0))
    found = spread_by_attention(maps, torch.eye(9).expand(2, -1, -1), box=0.0)
    assert torch.allclose(found, maps)


def test_what_belongs_together_gets_one_value() -> None:
    """Two groups of patches that attend within themselves alone."""
    group = torch.tensor([0, 0, 1, 1])
    attention = (group[:, None] == group).float()[None] / 2
    maps = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    found = spread_by_attention(maps, attention, box=0.0).flatten()
    assert torch.allclose(found, torch.tensor([0.5, 0.5, 0.0, 0.0]))


def test_what_lies_outside_the_box_says_nothing() -> None:
    uniform = torch.full((1, 4, 4), 0.25)
    maps = torch.tensor([[[1.0, 1.0], [0.3, 0.3]]])
    inside = spread_by_attention(maps, uniform, box=0.4)
    assert torch.allclose(inside, torch.full((1, 2, 2), 0.5))
    assert torch.allclose(spread_by_attention(maps, uniform, box=0.0), torch.full((1, 2, 2), 0.65))


def test_strong_and_weak_listeners_are_balanced() -> None:
    """A patch that all attend to gains nothing by that: rows and columns sum to about one."""
    attention = torch.rand(1, 6, 6, generator=torch.Generator().manual_seed(0)) + 0.1
    attention[..., 0] *= 10
    found = spread_by_attention(torch.ones(1, 2, 3), attention / attention.sum(2, keepdim=True), box=0.0)
    assert torch.allclose(found, torch.ones(1, 2, 3), atol=0.05)
