"""Batches that cannot be meant are refused in words."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dapt
from dapt.errors import DaptError
from helpers import tiny_clip

NAMES = ["red square", "blue disc"]


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


def pixels(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, 32, 32)


BATCHES = {
    "a dapt.Batch, not of a tuple": lambda: (pixels(), torch.tensor([0, 1])),
    "masks of these images are": lambda: dapt.Batch(pixels(), torch.tensor([0, 1]), torch.zeros(2, 32, 32)),
    r"masks of these images are \[2, 1, 32, 32\]": lambda: dapt.Batch(
        pixels(), torch.tensor([0, 1]), torch.zeros(2, 1, 16, 16)
    ),
    "The masks go from 0 to 255": lambda: dapt.Batch(
        pixels(), torch.tensor([0, 1]), 255 * torch.eye(32).expand(2, 1, 32, 32)
    ),
    "The labels go from 0 to 2; there are 2 classes": lambda: dapt.Batch(pixels(), torch.tensor([0, 2])),
    "The labels of 2 images are integers": lambda: dapt.Batch(pixels(), torch.tensor([0.0, 1.0])),
    r"integers \[2\], not torch.int64 \[3\]": lambda: dapt.Batch(pixels(), torch.tensor([0, 1, 1])),
    r"floats \[B, 3, 32, 32\], not torch.float32 \[2, 3, 64, 64\]": lambda: dapt.Batch(
        torch.randn(2, 3, 64, 64), torch.tensor([0, 1])
    ),
    r"trust in 2 images is floats \[2\], not torch.int64": lambda: dapt.Batch(
        pixels(), torch.tensor([0, 1]), trust=torch.tensor([1, 1])
    ),
    r"background texts of 2 images are integers \[2\], not torch.float32 \[1\]": lambda: dapt.Batch(
        pixels(), torch.tensor([0, 1]), background=torch.zeros(1)
    ),
    "background texts go from -1 to 32; there are 32, from 0": lambda: dapt.Batch(
        pixels(), torch.tensor([0, 1]), background=torch.tensor([-1, 32])
    ),
    "background texts go from -2 to 0": lambda: dapt.Batch(
        pixels(), torch.tensor([0, 1]), background=torch.tensor([-2, 0])
    ),
}


@pytest.mark.parametrize("said", BATCHES)
def test_batches_that_cannot_be_meant(said: str, clip) -> None:
    model = dapt.create_model(clip, "maple", NAMES, depth=2, dapt=True)
    with pytest.raises(DaptError, match=said):
        model.loss(BATCHES[said](), 0, 5)


@pytest.mark.parametrize("given", [np.zeros((32, 32, 3), np.uint8), "photo.jpg", torch.zeros(2, 3, 64, 64)])
def test_what_are_no_pixels(given: object, clip) -> None:
    with pytest.raises(DaptError, match=r"Normalised pixels are floats \[B, 3, 32, 32\]"):
        dapt.create_model(clip, "coop", NAMES)(given)


@pytest.mark.parametrize("epoch", [-1, 5])
def test_epochs_that_are_none(epoch: int, clip) -> None:
    model = dapt.create_model(clip, "maple", NAMES, depth=2)
    with pytest.raises(DaptError, match="Of 5 epochs there is none"):
        model.loss(dapt.Batch(pixels(), torch.tensor([0, 1])), epoch, 5)


@pytest.mark.parametrize("names", [["", "a"], [1, 2], [], [None]])
def test_names_that_are_none(names: list, clip) -> None:
    model = dapt.create_model(clip, "coop", NAMES)
    with pytest.raises(DaptError):
        model.set_classes(names)
    assert model.names == NAMES
