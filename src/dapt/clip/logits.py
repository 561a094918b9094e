"""How features become logits: one formula, used in training, at test, in references and in exports."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Line = tuple[Tensor, Tensor]  # weights [C, D] and offsets [C]


def class_logits(features: Tensor, texts: Tensor, scale: Tensor, bias: float = 0.0) -> Tensor:
    """``scale * (f @ t^T) + bias``, ``[B, C]``, in the precision of the features, autocast or not.

    Args:
        features: ``[B, D]``. texts: ``[C, D]``, or ``[B, C, D]`` where each image has its own.
        scale: one number, the exponential of what the model has learned.
    """
    kind = features.device.type
    if torch.is_autocast_enabled(kind):  # the scale magnifies rounding a hundred times
        with torch.autocast(kind, enabled=False):
            return scale * similarities(features, texts.to(features.dtype)) + bias
    return scale * similarities(features, texts) + bias


def line_logits(features: Tensor, line: Line) -> Tensor:
    """``f @ W^T + b``, ``[B, C]``, of features ``[B, D]``, in float32, autocast or not."""
    weight, offset = line
    with torch.autocast(features.device.type, enabled=False):
        return F.linear(features.float(), weight, offset)


def similarities(features: Tensor, texts: Tensor) -> Tensor:
    """``f @ t^T``, ``[B, C]``, of ``[B, D]`` with ``[C, D]``, or ``[B, C, D]`` where each image has its own texts."""
    if texts.dim() == 3:
        return (texts @ features.unsqueeze(2)).squeeze(2)
    return features @ texts.t()
