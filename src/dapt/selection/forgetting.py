"""Forgetting: the images that are learned and lost again most often (Toneva et al. 2019, ICLR, arXiv 1812.05159)."""

from __future__ import annotations

import torch
from torch import Tensor

from dapt.errors import DataError
from dapt.selection.base import SELECTORS, Candidates, Pick, Selector, top


@SELECTORS.register("forgetting")
class Forgetting(Selector):
    """By the number of changes from right to wrong over the epochs of a training beforehand."""

    needs_training = True

    def pick(self, part: Candidates, count: int) -> Pick:
        if part.forgotten is None:
            raise DataError(
                "Forgetting counts how often images are lost in training, and there was none.",
                todo="Train beforehand for a few epochs.",
            )
        return Pick(top(part.forgotten, count, largest=True))


def count_forgotten(correct: Tensor) -> Tensor:
    """How often each image turned from right to wrong, ``[N]``.

    Args:
        correct: ``[epochs + 1, N]`` bool, before training and after every epoch.
    """
    return (correct[:-1] & ~correct[1:]).sum(dim=0) if len(correct) > 1 else torch.zeros(correct.shape[1])
