"""Herding: the mean of the chosen stays near the mean of all (Welling 2009; Chen et al. 2010, UAI)."""

from __future__ import annotations

import torch

from dapt.selection.base import SELECTORS, Candidates, Pick, Selector


@SELECTORS.register("herding")
class Herding(Selector):
    """Greedily the image that brings the sum of the chosen nearest to so many times the mean.

    Features are ``(f + w_y) / 2`` with the text of the true class, as released; within a class the text is a constant
    and only scales f. ``legacy`` takes the farthest image, which is the direction of the released code.
    """

    def pick(self, part: Candidates, count: int) -> Pick:
        h = 0.5 * part.features.double() + 0.5 * part.texts[part.labels].double()
        mean, total = h.mean(dim=0), torch.zeros_like(h[0])
        taken = torch.zeros(len(h), dtype=torch.bool)
        chosen: list[int] = []
        for step in range(1, count + 1):
            distance = torch.linalg.vector_norm(step * mean - total - h, dim=1)
            worst = -torch.inf if self.legacy else torch.inf
            distance = distance.masked_fill(taken, worst)
            best = int(distance.argmax() if self.legacy else distance.argmin())
            chosen.append(best)
            taken[best] = True
            total = total + h[best]
        return Pick(chosen)
