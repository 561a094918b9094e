"""Uniform selection: at random."""

from __future__ import annotations

import torch

from dapt.seeds import mix_seed
from dapt.selection.base import SELECTORS, Candidates, Pick, Selector


@SELECTORS.register("uniform")
class Uniform(Selector):
    """Every image with the same probability, without replacement; the draw depends on the seed and the class."""

    looks = False

    def pick(self, part: Candidates, count: int) -> Pick:
        first = int(part.labels[0]) if len(part) else 0
        generator = torch.Generator().manual_seed(mix_seed(part.seed, first))
        return Pick(torch.randperm(len(part), generator=generator)[:count].tolist())
