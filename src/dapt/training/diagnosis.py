"""What each of DAPT's terms does while a model is trained: distances of views, and gradients beside the host's own.

For looking only (`dapt.diagnose`): the model is asked once more, in evaluation mode, so that training goes on as if it
had not been looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from dapt.data.batch import Batch
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FULL, Needs, Outputs
from dapt.objectives.base import sum_up
from dapt.objectives.disentangle import Disentangle
from dapt.training.step import TrainStep

EVERY = 10  # steps from one look to the next, the first of each epoch among them
Found = dict[str, tuple[float, float]]


class Diagnosis:
    """Means over the looks of an epoch.

    Args:
        step: what is looked at; None: nothing is.
    """

    def __init__(self, step: TrainStep | None) -> None:
        self._step = step
        self._sums: Found = {}

    def see(self, number: int, batch: Batch, epoch: int, epochs: int) -> None:
        """Look at the step of a number within the epoch, if it is its turn."""
        if self._step is not None and number % EVERY == 0:
            self.add(look(self._step, batch, epoch, epochs))

    def add(self, found: Found) -> None:
        """Figures of one look: each with how much it counts."""
        for name, (value, weight) in found.items():
            before, counted = self._sums.get(name, (0.0, 0.0))
            self._sums[name] = before + value * weight, counted + weight

    def means(self) -> dict[str, float]:
        """The mean of each figure that was to be had."""
        return {name: value / weight for name, (value, weight) in self._sums.items() if weight}


def look(step: TrainStep, batch: Batch, epoch: int, epochs: int) -> Found:
    """What the terms would do in a step with this batch; nothing is changed.

    Returns:
        each figure with its weight in a mean. ``distance/foreground`` and ``distance/background``: mean distances
        |f - f_f| and |f - f_b| of unit-length features, over images with a usable cue. ``right/whole``,
        ``right/foreground``: percent of these images that are classified rightly, whole and by the foreground view
        alone. For each term that acts, ``angle/TERM``: degrees between its gradient and that of all that is not
        DAPT's, and ``size/TERM``: its weighted gradient's length divided by that one's.
    """
    training = step.training
    step.eval()
    try:
        wanted = Needs({FULL: False, FOREGROUND: False, BACKGROUND: False})
        needs = step.needs(epoch, epochs)
        if batch.saved is None:  # saved features are those of the views that a step reads
            needs |= wanted
        outputs = step.model.compute(batch, needs | Needs({}, {CLASSES: False}))
        return _views(outputs, batch) | _gradients(step, outputs, batch, epoch, epochs)
    finally:
        step.train(training)


@torch.no_grad()
def _views(outputs: Outputs, batch: Batch) -> Found:
    usable = torch.ones_like(batch.labels, dtype=torch.bool) if batch.usable is None else batch.usable
    count = float(usable.sum())
    if not count:
        return {}
    image = {view: features[usable] for view, features in outputs.image.items()}
    found = {}
    for view in (FOREGROUND, BACKGROUND):
        if view in image and FULL in image:
            found[f"distance/{view}"] = float(F.pairwise_distance(image[FULL], image[view]).mean()), count
    if batch.targets is None:
        for name, view in (("whole", FULL), ("foreground", FOREGROUND)):
            if view not in image:
                continue
            right = outputs.logits(view).argmax(dim=1) == batch.labels
            found[f"right/{name}"] = 100 * float(right[usable].float().mean()), count
    return found


def _gradients(step: TrainStep, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> Found:
    parameters = [value for value in step.model.prompts.parameters() if value.requires_grad]
    own: list[Tensor] = []
    terms: dict[str, Tensor] = {}
    for objective in step.objectives:
        for name, term in objective.terms(outputs, batch, epoch, epochs).items():
            if isinstance(objective, Disentangle):
                terms[name] = term.weight * term.value
            else:
                own.append(term.weight * term.value)
    host = _flat(sum_up(own), parameters) if own else None
    found: Found = {}
    for name, value in terms.items():
        gradient = _flat(value, parameters)
        if host is None or gradient is None or not float(host.norm()) or not float(gradient.norm()):
            continue
        cosine = float(F.cosine_similarity(host, gradient, dim=0))
        found[f"angle/{name}"] = math.degrees(math.acos(max(-1.0, min(1.0, cosine)))), 1.0
        found[f"size/{name}"] = float(gradient.norm() / host.norm()), 1.0
    return found


def _flat(value: Tensor, parameters: Sequence[Tensor]) -> Tensor | None:
    """The gradient of a value by all parameters, in one row; None where it reaches none."""
    if not value.requires_grad:
        return None
    gradients = torch.autograd.grad(value, list(parameters), retain_graph=True, allow_unused=True)
    return torch.cat(
        [
            (torch.zeros_like(parameter) if gradient is None else gradient).flatten().float()
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
    )
