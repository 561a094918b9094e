"""CRAIG: a few images whose weighted gradients add up to those of all.

Mirzasoleiman et al. 2020, Coresets for Data-efficient Training of Machine Learning Models, ICML, arXiv 1906.01827.
"""

from __future__ import annotations

import torch

from dapt.selection.base import SELECTORS, Candidates, Pick, Selector
from dapt.selection.gradients import GradientFactors
from dapt.selection.greedy import FacilityLocation, blocks_of, lazy_greedy


@SELECTORS.register("craig")
class Craig(Selector):
    """Facility location on nearness of gradients; each chosen image counts in the loss as often as it represents one.

    Nearness is the largest distance minus the distance, plus 1e-3 as released. The weights of a class add up to its
    size.
    """

    def pick(self, part: Candidates, count: int) -> Pick:
        gradients = part.gradients()
        farthest = _farthest(gradients)
        function = FacilityLocation(
            len(part), lambda index: farthest - gradients.rows(index).distances(gradients) + 1e-3
        )
        chosen = lazy_greedy(function, count)
        weights = torch.zeros(count)
        members = gradients.rows(torch.tensor(chosen))
        for block in blocks_of(len(part)):
            nearest = gradients.rows(block).distances(members).argmin(dim=1)
            weights += torch.bincount(nearest, minlength=count)
        return Pick(chosen, weights.tolist())


def _farthest(gradients: GradientFactors) -> float:
    return max(float(gradients.rows(block).distances(gradients).max()) for block in blocks_of(len(gradients)))
