"""`Batch`: a plain value, of single-class images unless more is said."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import pytest
import torch

from dapt.data.batch import Batch
from dapt.objectives.classification import image_losses


def test_by_default_every_image_has_one_class_and_counts_alike() -> None:
    batch = Batch(torch.zeros(2, 3, 4, 4), torch.tensor([1, 0]))
    assert (batch.masks, batch.usable, batch.targets, batch.weights) == (None, None, None, None)
    assert (batch.trust, batch.background) == (None, None)
    logits = torch.tensor([[0.0, 2.0], [1.0, 1.0]])
    losses = image_losses(logits, batch.labels, batch)
    assert torch.allclose(losses, torch.tensor([math.log(1 + math.exp(-2)), math.log(2)]))


def test_every_part_moves() -> None:
    parts = {"trust": torch.ones(1), "background": torch.tensor([3])}
    moved = Batch(torch.zeros(1, 3, 4, 4), torch.tensor([0]), **parts).to("meta")
    assert {moved.pixels.device.type, moved.trust.device.type, moved.background.device.type} == {"meta"}


def test_it_cannot_be_changed() -> None:
    batch = Batch(torch.zeros(1, 3, 4, 4), torch.tensor([0]))
    with pytest.raises(FrozenInstanceError):
        batch.labels = torch.tensor([1])  # type: ignore[misc]
