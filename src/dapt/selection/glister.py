"""GLISTER: images whose gradients help the validation images most (Killamsetty et al. 2021, AAAI, arXiv 2012.10630)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field

from dapt.errors import DataError
from dapt.selection.base import SELECTORS, Candidates, Pick, Selector
from dapt.strict import PartOptions, Rate


class GlisterOptions(PartOptions):
    """Options of Glister."""

    rate: Rate = Field(0.0035, ge=0, description="Size of the step of the classifier after each choice.")


@SELECTORS.register("glister")
class Glister(Selector):
    """Greedily the image whose gradient step lowers the validation loss most, to first order.

    After each choice the classifier takes that step (of size `rate`) and the validation gradient is renewed. Within a
    class the validation images of that class are read. ``legacy`` renews nothing and takes the best of small random
    subsets, as the released code does, which is close to drawing at random.
    """

    options_type = GlisterOptions
    options: GlisterOptions
    needs_val = True

    def pick(self, part: Candidates, count: int) -> Pick:
        val = self._validation(part)
        ours = part.gradients()
        logits = val.logits.double().clone()
        classes = logits.shape[1]
        likeness = 1 + val.features.double() @ ours.features.t()  # [M, N]
        targets = F.one_hot(val.labels, classes)
        taken = torch.zeros(len(part), dtype=torch.bool)
        generator = torch.Generator().manual_seed(part.seed)
        chosen: list[int] = []
        fresh = torch.zeros(len(part))
        for step in range(count):
            if not (step and self.legacy):
                errors = logits.softmax(dim=1) - targets
                fresh = ((errors @ ours.errors.t()) * likeness).mean(dim=0)  # <g_j, mean validation gradient>
            gains = fresh.masked_fill(taken, -torch.inf)
            if self.legacy:
                gains = _only_a_few(gains, taken, count, generator)
            best = int(gains.argmax())
            chosen.append(best)
            taken[best] = True
            if not self.legacy:
                logits -= self.options.rate * likeness[:, best, None] * ours.errors[best]
        return Pick(chosen)

    def _validation(self, part: Candidates) -> Candidates:
        val = part.val
        if val is not None:
            present = torch.isin(val.labels, part.labels)
            val = val.rows(present.nonzero().flatten())
        if val is None or not len(val):
            raise DataError(
                f"GLISTER chooses by the validation images, and there are none of class {int(part.labels[0])}.",
                todo="Use one budget for all classes (selection.balanced=false), or another selector.",
            )
        return val


def _only_a_few(gains: torch.Tensor, taken: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    """`gains` of a random subset of the size of the released code, -inf elsewhere."""
    left = (~taken).nonzero().flatten()
    size = max(round(-torch.log(torch.tensor(0.9)).item() * len(taken) / count), 1)
    some = left[torch.randperm(len(left), generator=generator)[:size]]
    shown = torch.full_like(gains, -torch.inf)
    shown[some] = gains[some]
    return shown
