"""Figures for images that show several classes each."""

from __future__ import annotations

import torch
from torch import Tensor

from dapt.data.batch import MultiLabel
from dapt.objectives.classification import centred


def class_scores(logits: Tensor, kind: MultiLabel) -> Tensor:
    """Scores ``[B, C]`` by which the images of a class are ranked, float64.

    ``softmax``: the logarithm of the class probability of the image; ``sigmoid``: the centred logit. The probability
    and the sigmoid themselves rank the same, but many of them round to the same number.
    """
    logits = logits.double()
    return logits.log_softmax(dim=1) if kind == "softmax" else centred(logits)


def is_shown(predicted: Tensor, targets: Tensor) -> Tensor:
    """Whether the predicted class ``[N]`` is among those an image shows, ``[N]`` bool.

    Args:
        predicted: class indices; those beyond the columns of `targets` are no class. targets: ``[N, C]`` of 0 and 1.
    """
    classes = targets.shape[1]
    column = predicted.clamp(max=classes - 1)[:, None]
    return (predicted < classes) & targets.gather(1, column)[:, 0].bool()


def average_precision(scores: Tensor, shown: Tensor) -> float | None:
    """Area under the precision-recall curve of one class, in percent; None where no image shows it.

    As in PASCAL VOC since 2010 (development kit, section 3.4.1): precision at a recall is the best precision at that
    or any greater recall, and the area is exact. Images of equal score come in together, so that the order of the
    images does not matter.

    Args:
        scores: ``[N]``. shown: ``[N]``, whether each image shows the class.
    """
    positives = int(shown.bool().sum())
    if not positives:
        return None
    scores, order = scores.sort(descending=True)
    last = torch.cat([scores[1:] != scores[:-1], scores.new_ones(1, dtype=torch.bool)])  # of its score
    taken = last.nonzero()[:, 0] + 1  # images at or above each different score
    found = shown.bool()[order].double().cumsum(dim=0)[taken - 1]
    precision, recall = found / taken, found / positives
    envelope = precision.flip(0).cummax(dim=0).values.flip(0)
    steps = torch.diff(recall, prepend=recall.new_zeros(1))
    return 100.0 * float((steps * envelope).sum())


def average_precisions(scores: Tensor, targets: Tensor) -> list[float | None]:
    """`average_precision` of every class, of scores ``[N, C]`` and targets ``[N, C]`` of 0 and 1."""
    return [average_precision(scores[:, c], targets[:, c]) for c in range(targets.shape[1])]


def mean_average_precision(scores: Tensor, targets: Tensor) -> float | None:
    """Mean of `average_precisions` in percent; classes that no image shows are left out. None if all are."""
    values = [value for value in average_precisions(scores, targets) if value is not None]
    return sum(values) / len(values) if values else None
