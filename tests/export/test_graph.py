"""The graph makes of a picture what the test transform makes, for any size, and softmaxes what the model says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from dapt.clip.frozen import Preprocess
from dapt.data.load.preprocess import ImagePreprocess
from dapt.errors import NotSupportedError
from dapt.export.graph import PictureGraph, PixelGraph, make_graph

HOW = Preprocess((0.5, 0.4, 0.3), (0.25, 0.2, 0.3))
STEP = 1.01 / 255 / 0.2  # of a byte, normalised
SIZES = [(48, 40), (40, 48), (32, 32), (33, 97), (7, 200), (1, 1), (2, 100), (90, 32), (301, 300)]


class Pixels(nn.Module):
    """Gives back the pixels it is given, in the place of a model."""

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return pixels, pixels


def picture(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(height * width)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear", "nearest"])
@pytest.mark.parametrize("mode", ["shortest", "squash"])
def test_pixels_are_those_of_the_test_transform(mode: str, interpolation: str) -> None:
    how = replace(HOW, resize_mode=mode, interpolation=interpolation)
    graph = PictureGraph(Pixels(), (32, 32), how)  # type: ignore[arg-type]
    transform = ImagePreprocess((32, 32), how)
    for size in SIZES:
        given = picture(*size)
        expected = transform(given)
        found = graph(torch.from_numpy(given)[None])[0][0]
        apart = (found - expected).abs()
        assert apart.max() <= STEP, size
        assert (apart > 1e-4).float().mean() <= 0.04, f"{size}: steps of a byte are rare"


def test_a_batch_of_pictures() -> None:
    graph = PictureGraph(Pixels(), (32, 32), HOW)  # type: ignore[arg-type]
    both = torch.from_numpy(np.stack([picture(50, 40), picture(50, 40)[::-1].copy()]))
    found = graph(both)[0]
    for one, given in zip(found, both, strict=True):
        assert torch.allclose(one, graph(given[None])[0][0], atol=1e-5)


@pytest.mark.parametrize(("mode", "size"), [("longest", (32, 32)), ("shortest", (32, 48))])
def test_ways_that_are_no_graph(mode: str, size: tuple[int, int]) -> None:
    with pytest.raises(NotSupportedError, match="Leave --preprocess in-graph out"):
        PictureGraph(Pixels(), size, replace(HOW, resize_mode=mode))  # type: ignore[arg-type]


def test_temperature_and_classes(model) -> None:
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = model(pixels)
    probabilities, logits = make_graph(model, None, "outside", 2.0)(pixels)
    assert torch.allclose(logits, expected / 2, atol=1e-5)
    assert torch.allclose(probabilities, (expected / 2).softmax(1), atol=1e-6)
    some = PixelGraph(model.plain(), 2)(pixels)[1]
    assert torch.allclose(some, expected[:, :2], atol=1e-5)


def test_constants_stay_in_full_precision(model) -> None:
    other = model.with_classes()
    graph = make_graph(model, other, "outside", 1.0)
    assert torch.equal(graph.plain.texts, model.plain().texts)  # type: ignore[union-attr]


def test_a_trace_takes_any_size(model, traced) -> None:
    graph, program = make_graph(model, None, "in-graph", 1.0), traced.module()
    for height, width in ((1, 1), (32, 32), (20, 300), (300, 20), (70, 90)):
        given = torch.from_numpy(picture(height, width))[None]
        assert torch.allclose(program(given)[0], graph(given)[0], atol=1e-5)
