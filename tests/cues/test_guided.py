"""The guided filter puts the edges of a coarse map where those of the photo are."""

from __future__ import annotations

import pytest
import torch

from dapt.cues.guided import guided_filter


def photo_of(mask: torch.Tensor) -> torch.Tensor:
    noise = torch.randint(0, 20, (3, *mask.shape), generator=torch.Generator().manual_seed(0))
    return (noise + 150 * mask).to(torch.uint8)


@pytest.mark.parametrize("size", [(60, 90), (700, 500)])
def test_edges_of_the_photo_are_taken_over(size: tuple[int, int]) -> None:
    mask = torch.zeros(size, dtype=torch.long)
    mask[size[0] // 3 : size[0] * 2 // 3, size[1] // 4 : size[1] // 2] = 1
    coarse = torch.nn.functional.adaptive_avg_pool2d(mask[None].float(), 8)[0]
    plain = torch.nn.functional.interpolate(coarse[None, None], size=size, mode="bilinear")[0, 0]
    found = guided_filter(photo_of(mask), coarse)
    assert found.shape == size

    def wrong(values: torch.Tensor) -> int:
        return int(((values > 0.5).long() != mask).sum())

    assert wrong(found) < 0.5 * wrong(plain)


def test_without_edges_the_map_stays() -> None:
    photo = torch.full((3, 40, 40), 90, dtype=torch.uint8)
    coarse = torch.linspace(0, 1, 40).expand(40, 40)
    assert torch.allclose(guided_filter(photo, coarse)[:, 6:-6], coarse[:, 6:-6], atol=0.01)
    assert torch.allclose(guided_filter(photo, torch.full((2, 2), 0.3)), torch.full((40, 40), 0.3), atol=1e-4)


def test_each_window_is_the_best_linear_function_of_the_colours() -> None:
    """Where one window sees the whole picture, it is least squares with a penalty on the slopes."""
    generator = torch.Generator().manual_seed(0)
    photo = torch.randint(0, 256, (3, 5, 6), generator=generator, dtype=torch.uint8)
    values = torch.rand(5, 6, generator=generator)
    found = guided_filter(photo, values, radius=10.0, softness=0.01)
    colours = photo.flatten(1).t().double() / 255
    centred = colours - colours.mean(0)
    level = values.flatten().double()
    normal = centred.t() @ centred / 30 + 0.01 * torch.eye(3, dtype=torch.double)
    slope = torch.linalg.solve(normal, centred.t() @ (level - level.mean()) / 30)
    assert torch.allclose(found.flatten().double(), (centred @ slope + level.mean()).clamp(0, 1), atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2)])
def test_the_smallest_photos(size: tuple[int, int]) -> None:
    found = guided_filter(torch.zeros(3, *size, dtype=torch.uint8), torch.rand(4, 4))
    assert found.shape == size
    assert torch.isfinite(found).all()
