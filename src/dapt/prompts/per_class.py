"""What the images of each class have in common."""

from __future__ import annotations

import torch
from torch import Tensor


def class_means(values: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Means ``[C, ...]`` of values ``[n, ...]``; 0 for a class without any.

    Args:
        labels: ``[n]``.
    """
    total = values.new_zeros(classes, *values.shape[1:]).index_add(0, labels, values)
    count = torch.bincount(labels, minlength=classes).clamp(min=1)
    return total / count.view(-1, *[1] * (values.dim() - 1))
