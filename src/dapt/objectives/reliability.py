"""How far the foreground view of an image can be trusted. Experimental.

FVG-PT (arXiv 2603.08708) weighs what it learns from a foreground view by a *foreground reliability gate*: a small
network on three scalars of the image. Its three inputs, its hidden size, the range of valid areas and the weight of
its loss are those of the released configuration; the paper's formula for its supervision and for its use is not
known to us. Ours: the gate learns to tell whether the foreground view gives the true class at least as much
probability as the whole image does, and multiplies DAPT's foreground terms of each image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.prompts.base import seeded

HIDDEN = 32
SMALLEST_AREA, GREATEST_AREA = 0.02, 0.98


class ReliabilityGate(nn.Module):
    """Linear, ReLU, linear, sigmoid on three scalars per image."""

    def __init__(self) -> None:
        super().__init__()
        with seeded(torch.Generator().manual_seed(0)):
            self.layers = nn.Sequential(nn.Linear(3, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))

    def forward(self, full: Tensor, foreground: Tensor, area: Tensor) -> tuple[Tensor, Tensor]:
        """Trust in the foreground views.

        Args:
            full, foreground: class logits ``[B, C]`` of both views; no gradient flows into them.
            area: ``[B]`` share of the pixels that is foreground.

        Returns:
            trust ``[B]`` in 0..1, 0 where the area is out of range, and its logits ``[B]`` before that.
        """
        score: Tensor = self.layers(gate_inputs(full.detach(), foreground.detach(), area)).squeeze(1)
        valid = (area >= SMALLEST_AREA) & (area <= GREATEST_AREA)
        return torch.where(valid, score.sigmoid(), torch.zeros_like(score)), score


def gate_inputs(full: Tensor, foreground: Tensor, area: Tensor) -> Tensor:
    """``[B, 3]``: difference of the entropies in nats, cosine of the class probabilities, area."""
    p, q = full.float().softmax(dim=1), foreground.float().softmax(dim=1)
    difference = torch.special.entr(p).sum(dim=1) - torch.special.entr(q).sum(dim=1)
    return torch.stack([difference, F.cosine_similarity(p, q, dim=1), area.float()], dim=1)


def gate_loss(score: Tensor, full: Tensor, foreground: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy ``[B]``: does the foreground view give the true class as much as the whole image?

    Args:
        score: the gate's logits ``[B]``. full, foreground: class logits ``[B, C]``. labels: ``[B]``.
    """
    at = labels.view(-1, 1)
    whole, part = (logits.detach().float().softmax(dim=1).gather(1, at).squeeze(1) for logits in (full, foreground))
    return F.binary_cross_entropy_with_logits(score, (part >= whole).to(score.dtype), reduction="none")
