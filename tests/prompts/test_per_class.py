"""Means of classes, of numbers and of features."""

from __future__ import annotations

import torch

from dapt.prompts.per_class import class_means


def test_a_class_without_images_has_zero() -> None:
    labels = torch.tensor([0, 0, 2])
    found = class_means(torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0]]), labels, 3)
    assert found.tolist() == [[2.0, 0.0], [0.0, 0.0], [0.0, 5.0]]
    assert class_means(torch.tensor([1.0, 3.0, 5.0]), labels, 3).tolist() == [2.0, 0.0, 5.0]
