"""The training step as a function of tensors: loss, terms by group, and the figures that are told of it."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from dapt.data.batch import Batch, MultiLabel
from dapt.objectives.base import by_group
from dapt.training.step import TrainStep
from dapt.training.stopping import BEYOND


class PlainStep(nn.Module):
    """The training step with plain tensors in and out, as data-parallel wrappers want it.

    Args:
        margin: how many images are beyond it is told among the figures; None: is not.
    """

    def __init__(self, step: TrainStep, multi_label: MultiLabel, margin: float | None = None) -> None:
        super().__init__()
        self.step = step
        self.multi_label: MultiLabel = multi_label
        self.margin = margin

    def forward(
        self,
        pixels: Tensor,
        labels: Tensor,
        masks: Tensor,
        usable: Tensor,
        targets: Tensor | None,
        weights: Tensor | None,
        epoch: int,
        epochs: int,
        trust: Tensor | None = None,
        background: Tensor | None = None,
        saved: Mapping[str, Tensor] | None = None,
        before: tuple[Tensor, Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        known = (targets, weights, self.multi_label, trust, background)
        batch = Batch(pixels, labels, masks, usable, *known, saved, before)
        loss, terms, outputs = self.step(batch, epoch, epochs)
        figures = {name: term.value.detach() for name, term in terms.items()}
        top = outputs.predicted()
        if top is not None:
            correct = top == labels if targets is None else targets.gather(1, top[:, None])[:, 0]
            figures["train/accuracy"] = 100 * correct.float().mean()
            if self.margin is not None:
                beyond = outputs.margins(labels) > self.margin
                figures[BEYOND] = 100 * beyond.float().mean()
        return loss, by_group(terms), figures
