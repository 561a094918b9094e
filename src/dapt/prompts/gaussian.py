"""GDA: classes as Gaussians with one covariance, in closed form.

Wang et al. 2024, A Hard-to-Beat Baseline for Training-free CLIP-based Adaptation, ICLR, arXiv 2402.04087. The scores of
the Gaussians are linear in the image feature, and are added to the zero-shot logits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip, unit
from dapt.clip.logits import Line, line_logits
from dapt.console import say, warn
from dapt.errors import DataError
from dapt.methods.gda import GdaNewOptions, GdaOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.fixed import FixedClassPrompts
from dapt.prompts.kept_rows import check_rows, empty_rows
from dapt.prompts.per_class import class_means
from dapt.prompts.untrained import UntrainedPrompts

ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2)  # the released grid


def inverse(matrix: Tensor) -> Tensor:
    """The pseudo-inverse of a symmetric matrix ``[D, D]`` in float64; what float32 could not tell from 0 is cut off."""
    cut = len(matrix) * torch.finfo(torch.float32).eps
    found: Tensor = torch.linalg.pinv(matrix, rtol=cut, hermitian=True)
    return found


def shrunk_precision(centred: Tensor) -> Tensor:
    """``D pinv(S + tr(S) / (n - 1) I)`` ``[D, D]`` of centred features ``[n, D]``, S their scatter."""
    count, width = centred.shape
    scatter = centred.t() @ centred
    eye = torch.eye(width, dtype=scatter.dtype, device=scatter.device)
    return width * inverse(scatter + scatter.trace() / (count - 1) * eye)


def mean_class_precision(rows: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The pseudo-inverse ``[D, D]`` of the mean over the classes of their own covariance, nothing added to it.

    Classes with one feature have no covariance and are left out.
    """
    found = [torch.cov(part.t()) for label in range(classes) if len(part := rows[labels == label]) > 1]
    if not found:
        raise DataError(
            "GDA needs a class with two training images at least.", todo="Use more shots, or prompt.views above 1."
        )
    return inverse(torch.stack(found).mean(dim=0))


def line(means: Tensor, precision: Tensor, classes: int) -> Line:
    """Weights ``[C, D]`` and offsets ``[C]`` of the scores of Gaussians.

    Args:
        means: ``[C, D]``. precision: ``[D, D]``. classes: among which is chosen, each as likely as any other.
    """
    weight = means @ precision
    return weight, math.log(1 / classes) - (weight * means).sum(dim=1) / 2


def blended(texts: Tensor, scale: Tensor, alpha: Tensor | float, scores: Line) -> Line:
    """Zero-shot logits of class features ``[C, D]``, and alpha times the scores, as one line."""
    return scale * texts + alpha * scores[0], alpha * scores[1]


class GaussianScores(UntrainedPrompts):
    """`weight` ``[C, D]`` and `bias` ``[C]`` of the scores, `alpha` their weight beside the class texts."""

    looks_first = True
    options: GdaOptions

    def __init__(self, options: GdaOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator) -> None:
        super().__init__(options, clip, names, generator)
        self.register_buffer("weight", torch.zeros(len(self.names), clip.embed_dim))
        self.weight: Tensor
        self.register_buffer("bias", torch.zeros(len(self.names)))
        self.bias: Tensor
        self.register_buffer("alpha", torch.tensor(options.alpha))
        self.alpha: Tensor

    def _take(self, fitted: Line, labels: Tensor, seen: TrainingSet) -> None:
        """Keep the scores of the training classes, of which some may have no images, and search their weight."""
        self.weight.copy_(fitted[0])
        self.bias.copy_(without_empty(fitted[1], labels))
        self.alpha.fill_(searched_alpha(self.options, seen, (self.weight, self.bias)))


class GaussianPrompts(GaussianScores, FixedClassPrompts):
    """GDA among the training classes alone."""

    @torch.no_grad()
    def prepare(self, seen: TrainingSet) -> None:
        rows, labels = unit_rows(seen, self.options.views)
        means = class_means(rows, labels, len(self.names))
        if not bool((rows != means[labels]).any()):
            raise DataError(
                "All training features of each class are the same, so that GDA has no covariance.",
                todo="Use more shots, or prompt.views above 1.",
            )
        fitted = line(means, shrunk_precision(rows - means[labels]), len(self.names))
        self._take(fitted, labels, seen)

    def logit_line(self, names: Sequence[str], texts: Tensor, scale: Tensor) -> Line | None:
        return blended(texts, scale, self.alpha, (self.weight, self.bias))


class OpenGaussianPrompts(GaussianScores):
    """The same for classes that were not trained, too: `rows` ``[n, D]`` are kept, and stand for them."""

    options: GdaNewOptions

    def __init__(
        self, options: GdaNewOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        self.register_buffer("rows", torch.zeros(options.rows or 0, clip.embed_dim))
        self.rows: Tensor

    @classmethod
    def check_saved(cls, options: GdaNewOptions, tensors: Mapping[str, Tensor]) -> None:
        check_rows(options.rows, tensors.get("rows"), "model", "rows of features")

    def saved_options(self) -> dict[str, Any]:
        return {"rows": len(self.rows)}

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """There are as many rows as in what is loaded."""
        rows = empty_rows(self.rows, state_dict, f"{prefix}rows")
        if rows is not None:
            self.rows = rows
        super()._load_from_state_dict(state_dict, prefix, *rest)

    @torch.no_grad()
    def prepare(self, seen: TrainingSet) -> None:
        rows, labels = unit_rows(seen, self.options.views)
        means = class_means(rows, labels, len(self.names))
        fitted = line(means, mean_class_precision(rows, labels, len(self.names)), len(self.names))
        self.rows = rows.to(self.rows)
        self._take(fitted, labels, seen)
        if len(rows) < self.options.neighbours:
            warn(
                f"There are {len(rows)} training features, so new classes take all of them, not the "
                f"{self.options.neighbours} nearest (--set prompt.views=...)."
            )

    def logit_line(self, names: Sequence[str], texts: Tensor, scale: Tensor) -> Line | None:
        if not len(self.rows):
            return None  # no training image was looked at yet
        place = {name: number for number, name in enumerate(self.names)}
        weight, bias = texts.new_zeros(len(names), texts.shape[1]), texts.new_zeros(len(names))
        known = [number for number, name in enumerate(names) if name in place]
        new = [number for number, name in enumerate(names) if name not in place]
        if known:
            own = [place[names[number]] for number in known]
            weight[known] = self.weight[own]
            bias[known] = self.bias[own]
        if new:
            means, precision = self.new_classes(texts[new].cpu().double())
            found = line(means, precision, len(new))
            weight[new], bias[new] = found[0].to(weight), found[1].to(bias)
        return blended(texts, scale, self.alpha, (weight, bias))

    def new_classes(self, texts: Tensor) -> tuple[Tensor, Tensor]:
        """Means ``[C, D]`` of new classes and their common precision ``[D, D]``, float64, of text features ``[C, D]``.

        A class's scatter is taken around its text, not around its mean.
        """
        rows = self.rows.cpu().double()
        count, copies = min(self.options.neighbours, len(rows)), self.options.text_copies
        nearest = (texts @ rows.t()).topk(count, dim=1).indices
        means, total = [], rows.new_zeros(rows.shape[1], rows.shape[1])
        for text, places in zip(texts, nearest, strict=True):
            own = rows[places]
            means.append((own.sum(dim=0) + copies * text) / (count + copies))
            total += shrunk_precision(own - text)
        return torch.stack(means), total / len(texts)


def unit_rows(seen: TrainingSet, views: int) -> tuple[Tensor, Tensor]:
    """Unit-length features of all views below each other ``[K N, D]``, float64 on the CPU, and their labels ``[K N]``.

    Raises:
        DataError: there are no training images.
    """
    if not len(seen.labels):
        raise DataError("GDA is made of the training images, and there are none.")
    found = unit(seen.views(views)).cpu().double()  # MPS has no doubles
    return found.flatten(0, 1), seen.labels.to(found.device).repeat(len(found))


def without_empty(offsets: Tensor, labels: Tensor) -> Tensor:
    """Offsets ``[C]``, where classes without training images get the least of the others, and not that of 0."""
    count = torch.bincount(labels, minlength=len(offsets))
    return torch.where(count > 0, offsets, offsets[count > 0].min())


def searched_alpha(options: GdaOptions, seen: TrainingSet, fitted: Line) -> float:
    """The first weight of the released grid with the highest accuracy on the validation images."""
    if not (options.search and len(seen.val_labels)):
        say(f"alpha {options.alpha:g} is not searched")
        return options.alpha
    features, texts = unit(seen.val_features()), seen.class_features()
    labels = seen.val_labels.to(features.device)
    right = []
    for alpha in ALPHAS:
        logits = line_logits(features, blended(texts, seen.clip.logit_scale, alpha, fitted))
        right.append(int(logits.argmax(dim=1).eq(labels).sum()))
    best = max(right)
    alpha = ALPHAS[right.index(best)]
    accuracy = 100 * best / len(seen.val_labels)
    say(f"alpha {alpha:g} by {len(seen.val_labels)} validation images (accuracy {accuracy:.1f}%)")
    return alpha
