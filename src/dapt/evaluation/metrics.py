"""The field's figures, in percent and full precision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

BINS = 15  # of the confidence, in the calibration error
PAIRS = 5_000  # of classes that a record lists


def accuracy(predicted: Tensor, labels: Tensor) -> float | None:
    """Top-1 accuracy: correct / total over all images (not per class). None without images."""
    if not len(labels):
        return None
    return 100.0 * float((predicted == labels).double().mean())


def per_class_mean(predicted: Tensor, labels: Tensor) -> float | None:
    """Mean over the classes present of each class's accuracy."""
    if not len(labels):
        return None
    values = [accuracy(predicted[labels == label], labels[labels == label]) for label in sorted(set(labels.tolist()))]
    return sum(value for value in values if value is not None) / len(values)


def per_class(predicted: Tensor, labels: Tensor, names: Sequence[str]) -> dict[str, float | None]:
    """Accuracy by class name; None for classes without images."""
    return {name: accuracy(predicted[labels == label], labels[labels == label]) for label, name in enumerate(names)}


def per_group(predicted: Tensor, labels: Tensor, groups: Sequence[str | None]) -> dict[str, float | None]:
    """Accuracy by value of `groups`; images without a group are left out."""
    values: dict[str, float | None] = {}
    for group in sorted({group for group in groups if group is not None}):
        inside = torch.tensor([other == group for other in groups])
        values[group] = accuracy(predicted[inside], labels[inside])
    return values


def worst_group(predicted: Tensor, labels: Tensor, groups: Sequence[str | None]) -> float | None:
    """The lowest accuracy over the values of `groups`. None when no image has a group."""
    values = [value for value in per_group(predicted, labels, groups).values() if value is not None]
    return min(values) if values else None


def calibration_error(confidence: Tensor, correct: Tensor) -> float | None:
    """Expected calibration error in percent: how far confidence and accuracy are apart. None without images.

    The mean over images of |accuracy - mean confidence| of the bin they fall into; 15 bins ``(low, high]`` of equal
    width (Guo et al. 2017, On Calibration of Modern Neural Networks, ICML, arXiv 1706.04599).

    Args:
        confidence: ``[N]`` probability of the prediction. correct: ``[N]``, whether the prediction is right.
    """
    if not len(confidence):
        return None
    gap = _by_bin(confidence, correct.double() - confidence.double())
    return 100.0 * float(gap.abs().sum()) / len(confidence)


def calibration_bins(confidence: Tensor, correct: Tensor) -> list[dict[str, float]]:
    """What a calibration diagram shows: of each bin of `calibration_error` that has images how many, and in percent
    their mean confidence and their accuracy (Guo et al. 2017).

    Args:
        confidence: ``[N]`` probability of the prediction. correct: ``[N]``, whether the prediction is right.
    """
    rows = zip(
        _by_bin(confidence, torch.ones(len(confidence))).tolist(),
        _by_bin(confidence, confidence).tolist(),
        _by_bin(confidence, correct).tolist(),
        strict=True,
    )
    return [
        {"images": int(images), "confidence": 100 * sure / images, "accuracy": 100 * right / images}
        for images, sure, right in rows
        if images
    ]


def _by_bin(confidence: Tensor, values: Tensor) -> Tensor:
    """The sum of the values ``[N]`` of the images in each of `BINS` bins of confidence."""
    inner = torch.arange(1, BINS, dtype=torch.float64) / BINS
    places = torch.bucketize(confidence.double(), inner)
    return torch.zeros(BINS, dtype=torch.float64).index_add(0, places, values.double())


def confusion(predicted: Tensor, labels: Tensor, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many images of each class were taken for which: by true class, the most frequent answer first.

    Of more than `PAIRS` pairs of classes those of most images are listed.
    """
    pairs = Counter(zip(labels.tolist(), predicted.tolist(), strict=True)).most_common(PAIRS)
    found: dict[str, dict[str, int]] = {}
    for (true, said), images in sorted(pairs, key=lambda pair: (pair[0][0], -pair[1], pair[0][1])):
        found.setdefault(names[true], {})[names[said]] = images
    return found


def harmonic_mean(base: float | None, novel: float | None) -> float | None:
    """``2BN / (B + N)``; 0 when both are 0."""
    if base is None or novel is None:
        return None
    return 2 * base * novel / (base + novel) if base + novel > 0 else 0.0
