"""Uncertainty: the images the model is least sure of (Coleman et al. 2020, ICLR, arXiv 1906.11829)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from dapt.selection.base import SELECTORS, Candidates, Pick, Selector, top
from dapt.strict import PartOptions


class UncertaintyOptions(PartOptions):
    """Options of Uncertainty."""

    score: Literal["margin", "entropy", "least_confidence"] = Field("margin", description="Measure of certainty.")


@SELECTORS.register("uncertainty")
class Uncertainty(Selector):
    """By margin (first minus second probability), entropy, or the largest probability.

    ``legacy`` repeats the released code: with ``least_confidence`` it takes the largest raw logit for the probability,
    and with one budget for all classes it takes the most certain images.
    """

    options_type = UncertaintyOptions
    options: UncertaintyOptions

    def pick(self, part: Candidates, count: int) -> Pick:
        several = len(set(part.labels.tolist())) > 1
        return Pick(top(self.certainty(part), count, largest=self.legacy and several))

    def certainty(self, part: Candidates) -> Tensor:
        """``[N]``, small where the model is unsure."""
        probabilities = part.probabilities
        if self.options.score == "entropy":
            entropy: Tensor = torch.special.entr(probabilities).sum(dim=1)
            return -entropy
        if self.options.score == "least_confidence":
            answers = part.logits if self.legacy else probabilities
            return answers.amax(dim=1)
        if probabilities.shape[1] == 1:
            return probabilities[:, 0]
        best = probabilities.topk(2, dim=1).values
        return best[:, 0] - best[:, 1]
