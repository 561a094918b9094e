"""Cuts of maps, and how far masks are trusted, by hand."""

from __future__ import annotations

import pytest
import torch

from dapt.cues.cut import confidence, cut, otsu_threshold


def test_value() -> None:
    assert cut(torch.tensor([[0.4, 0.5, 0.6]]), "value", 0.5).tolist() == [[False, True, True]]


@pytest.mark.parametrize(("share", "expected"), [(0.1, 1), (0.25, 3), (0.5, 5), (0.99, 10)])
def test_share_of_the_picture(share: float, expected: int) -> None:
    values = torch.arange(10.0).view(2, 5)
    found = cut(values, "share", share=share)
    assert int(found.sum()) == expected
    assert bool(found[1, -1])


def test_otsu_divides_two_groups_wherever_they_lie() -> None:
    generator = torch.Generator().manual_seed(0)
    for low, high in ((0.1, 0.3), (0.5, 0.9), (-3.0, 5.0)):
        values = torch.cat([low + 0.02 * torch.randn(90, generator=generator), torch.full((10,), high)]).view(10, 10)
        assert int(cut(values, "otsu").sum()) == 10


def test_otsu_is_the_best_of_all_cuts() -> None:
    values = torch.rand(20, 20, generator=torch.Generator().manual_seed(1)) ** 3

    def between(threshold: float) -> float:
        high = values > threshold
        share = float(high.float().mean())
        return share * (1 - share) * float(values[high].mean() - values[~high].mean()) ** 2

    best = max(between(float(each)) for each in torch.linspace(0.02, 0.97, 200))
    assert between(otsu_threshold(values)) > 0.98 * best


def test_a_map_that_is_the_same_everywhere_has_no_foreground() -> None:
    assert not cut(torch.full((3, 3), 0.7), "otsu").any()


def test_confidence() -> None:
    values = torch.tensor([[1.0, 0.8, 0.2, 0.0]])
    assert confidence(values, values > 0.5) == pytest.approx(0.8)
    assert confidence(values, values < 0.5) == 0.0
    assert confidence(values, values > 2) == confidence(values, values > -1) == 0.0
