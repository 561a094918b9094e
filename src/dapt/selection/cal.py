"""Contrastive active learning: images that are answered unlike their neighbours (Margatina et al. 2021, EMNLP)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from dapt.selection.base import SELECTORS, Candidates, Pick, Selector, top
from dapt.selection.greedy import blocks_of
from dapt.strict import PartOptions

BLOCK = 1024


class CalOptions(PartOptions):
    """Options of Cal."""

    neighbours: int = Field(10, ge=1, description="So many nearest images are compared with.")


@SELECTORS.register("cal")
class Cal(Selector):
    """By the mean symmetric divergence from the class probabilities of the nearest neighbours.

    Neighbours are nearest in the features of `Herding`. ``legacy`` takes the smallest divergence, as released.
    """

    options_type = CalOptions
    options: CalOptions

    def pick(self, part: Candidates, count: int) -> Pick:
        return Pick(top(self.divergence(part), count, largest=not self.legacy))

    def divergence(self, part: Candidates) -> Tensor:
        """``[N]``: mean over the neighbours of ``(KL(p_i || p_j) + KL(p_j || p_i)) / 2``; 0 for a lone image."""
        number = min(self.options.neighbours, len(part) - 1)
        if number < 1:
            return torch.zeros(len(part))
        h = 0.5 * part.features.float() + 0.5 * part.texts[part.labels].float()
        logs = part.logits.float().log_softmax(dim=1)
        found = []
        for block in blocks_of(len(part), BLOCK):
            distance = torch.cdist(h[block], h)
            distance[torch.arange(len(block)), block] = torch.inf
            near = distance.topk(number, dim=1, largest=False).indices
            ours, theirs = logs[block].unsqueeze(1), logs[near]
            symmetric = 0.5 * ((ours.exp() - theirs.exp()) * (ours - theirs)).sum(dim=2)
            found.append(symmetric.mean(dim=1))
        return torch.cat(found)
