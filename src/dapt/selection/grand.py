"""GraNd: the images with the largest gradients (Paul et al. 2021, NeurIPS, arXiv 2107.07075)."""

from __future__ import annotations

from dapt.selection.base import SELECTORS, Candidates, Pick, Selector, top


@SELECTORS.register("grand")
class GraNd(Selector):
    """By the length of each image's gradient at the start (of a pretrained CLIP, so no average over starts)."""

    def pick(self, part: Candidates, count: int) -> Pick:
        return Pick(top(part.gradients().squared_norms(), count, largest=True))
