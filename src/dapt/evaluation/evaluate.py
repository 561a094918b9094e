"""Evaluating a prompted model on images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from dapt.console import progress
from dapt.data.batch import MultiLabel
from dapt.data.items import Item
from dapt.data.load.draft import draft_side
from dapt.data.load.loader import EvalImages, eval_loader, targets_of
from dapt.data.load.notes import say_notes
from dapt.data.load.transforms import eval_transform
from dapt.evaluation.mask_source import MaskSource
from dapt.evaluation.metrics import (
    accuracy,
    calibration_bins,
    calibration_error,
    confusion,
    per_class,
    per_class_mean,
    per_group,
    worst_group,
)
from dapt.evaluation.multi_label import average_precisions, class_scores, is_shown, mean_average_precision
from dapt.finite import require_finite
from dapt.model.attention import can_show_attention, foreground_share, tower_and_attention
from dapt.model.classifier import Classifier
from dapt.model.prompted_clip import PromptedClip

__all__ = ["Encoded", "Evaluation", "Keep", "MaskSource", "Seen", "classify_images", "encode_images", "evaluate"]


@dataclass(frozen=True)
class Seen:
    """What the image tower makes of images, on the CPU.

    Attributes:
        raw: ``[N, width]``, see `Classifier.tower`. share: ``[N]``, the share of the class token's attention that lies
            on the foreground; None: it was not looked at. inside: ``[N]``, whether there is foreground and background.
    """

    raw: Tensor
    share: Tensor | None = None
    inside: Tensor | None = None


class Keep(Protocol):
    """Where `Seen` is kept for later evaluations of the same images; made in a room above (`dapt.runs`)."""

    def __call__(
        self,
        classify: Classifier,
        items: Sequence[Item],
        make: Callable[[], Seen],
        *,
        batch_size: int,
        masks: MaskSource | None,
    ) -> Seen:
        """What is kept of the images, or what `make` makes of them.

        Args:
            masks: where the attention figure is of; None: there is none.
        """
        ...


@dataclass(frozen=True)
class Encoded:
    """Images after the image tower: all that it takes to classify them, among whichever classes.

    Attributes:
        items: the images. features: ``[N, D]`` as `Classifier.features` gives them, on the CPU.
        attention: mean foreground share in percent, or None.
    """

    items: tuple[Item, ...]
    features: Tensor
    attention: float | None = None

    def __add__(self, other: Encoded) -> Encoded:
        """The images of both, without the attention figure."""
        parts = [part.features for part in (self, other) if part.items]
        return Encoded(self.items + other.items, torch.cat(parts) if parts else self.features)


@dataclass(frozen=True)
class Evaluation:
    """Predictions on a list of images, and the figures that follow from them.

    Attributes:
        predicted, labels: ``[N]``. confidence: ``[N]`` probability of the prediction.
        names: class names. groups: per image, or None. attention: mean foreground share in percent, or None.
        targets: ``[N, C]`` of 0 and 1, the classes each image shows, where it may show several; None: one each.
        scores: ``[N, C]`` by which the images of a class are ranked, where there are `targets`.
    """

    predicted: Tensor
    labels: Tensor
    confidence: Tensor
    names: tuple[str, ...]
    groups: tuple[str | None, ...]
    attention: float | None
    targets: Tensor | None = None
    scores: Tensor | None = None

    @property
    def expected(self) -> Tensor:
        """What a right prediction is equal to, ``[N]``: the label, or any class shown where an image shows several."""
        if self.targets is None:
            return self.labels
        return torch.where(is_shown(self.predicted, self.targets), self.predicted, self.labels)

    def metrics(self, prefix: str = "test") -> dict[str, float | None]:
        """Figures by name, in percent; None where they do not apply."""
        predicted, expected = self.predicted, self.expected
        single = self.targets is None
        return {
            f"{prefix}/accuracy": accuracy(predicted, expected),
            f"{prefix}/per_class_mean": per_class_mean(predicted, expected) if single else None,
            f"{prefix}/worst_group": worst_group(predicted, expected, self.groups),
            f"{prefix}/calibration_error": calibration_error(self.confidence, predicted == expected)
            if single
            else None,
            f"{prefix}/mean_average_precision": self._mean_average_precision(),
            "cue/foreground_attention": self.attention,
        }

    def _mean_average_precision(self) -> float | None:
        if self.targets is None or self.scores is None:
            return None
        return mean_average_precision(self.scores, self.targets)

    def breakdown(self) -> dict[str, dict[str, float | None]]:
        """Percent of each class and of each group, as in results.json.

        Classes have their accuracy, or their average precision where images show several classes; groups accuracy.
        """
        if self.targets is None or self.scores is None:
            classes = per_class(self.predicted, self.labels, self.names)
        else:
            classes = dict(zip(self.names, average_precisions(self.scores, self.targets), strict=True))
        return {"per_class": classes, "per_group": per_group(self.predicted, self.expected, self.groups)}

    def answers(self) -> dict[str, Any]:
        """Which classes are taken for which, and how right probabilities are, as in results.json; nothing of images
        that show several classes."""
        if self.targets is not None:
            return {}
        known = self.predicted < len(self.names)  # dapt.released has columns that are no classes
        return {
            "confusion": confusion(self.predicted[known], self.labels[known], self.names),
            "calibration": calibration_bins(self.confidence, self.predicted == self.labels),
        }


@torch.no_grad()
def evaluate(
    model: PromptedClip,
    items: Sequence[Item],
    labels: Sequence[int],
    *,
    batch_size: int = 100,
    workers: int = 0,
    masks: MaskSource | None = None,
    multi_label: MultiLabel = "softmax",
    label: str = "evaluating",
    keep: Keep | None = None,
) -> Evaluation:
    """Classify images among the model's classes.

    Args:
        items: images; their `Item.labels`, if any, are numbered as `model.names`.
        labels: their class, numbered as `model.names`.
        masks: true foreground masks for the attention figure; None: leave it out.
        multi_label: how classes are scored where images show several, see `class_scores`. keep: as `encode_images`.

    Raises:
        DaptError: what the model computes is not finite.
    """
    classify = Classifier(model)
    encoded = encode_images(
        classify, items, batch_size=batch_size, workers=workers, masks=masks, label=label, keep=keep
    )
    return classify_images(classify, encoded, labels, batch_size=batch_size, multi_label=multi_label, label=label)


@torch.no_grad()
def encode_images(
    classify: Classifier,
    items: Sequence[Item],
    *,
    batch_size: int,
    workers: int = 0,
    masks: MaskSource | None = None,
    label: str = "evaluating",
    keep: Keep | None = None,
) -> Encoded:
    """Run images through the image tower; the result does not depend on the classes of `classify`.

    Args:
        masks: true foreground masks for the attention figure; None: leave it out.
        keep: where what the tower makes of them is kept; None: nowhere.
    """
    looks = masks is not None and can_show_attention(classify.model.clip.image) and masks.tell(items)
    masks = masks if looks else None

    def look() -> Seen:
        return _see(classify, items, batch_size=batch_size, workers=workers, masks=masks, label=label)

    clip = classify.model.clip
    seen = look() if keep is None else keep(classify, items, look, batch_size=batch_size, masks=masks)
    parts = torch.split(seen.raw, batch_size) if items else ()  # as they went through the tower
    found = [classify.finished(raw.to(clip.device)).cpu() for raw in parts]
    share = torch.empty(0)
    if seen.share is not None and seen.inside is not None:
        share = require_finite(seen.share[seen.inside], "attention figures")
    return Encoded(
        tuple(items),
        torch.cat(found) if found else torch.empty(0, clip.embed_dim),
        100.0 * float(share.double().mean()) if len(share) else None,
    )


def _see(
    classify: Classifier,
    items: Sequence[Item],
    *,
    batch_size: int,
    workers: int,
    masks: MaskSource | None,
    label: str,
) -> Seen:
    """Read images and run them through the image tower.

    Args:
        masks: true foreground masks for the attention figure; None: leave it out.
    """
    clip = classify.model.clip
    transform = eval_transform(clip.image.image_size, clip.preprocess)
    side = draft_side(clip.image.image_size)
    images = EvalImages(items, transform, None if masks is None else masks.read, side)
    loader = eval_loader(images, batch_size=batch_size, workers=workers)
    raw: list[Tensor] = []
    shares: list[Tensor] = []
    inside: list[Tensor] = []
    for pixels, warped in progress(loader, len(loader), label, "batches"):
        pixels = pixels.to(clip.device)
        if masks is None:
            raw.append(require_finite(classify.tower(pixels), "image features").cpu())
            continue
        features, attention = tower_and_attention(classify, pixels)
        raw.append(require_finite(features, "image features").cpu())
        inside.append(warped.flatten(1).any(dim=1) & ~warped.flatten(1).all(dim=1))
        shares.append(foreground_share(attention.cpu(), warped))
    say_notes()  # of masks; the images were looked at before
    if not raw:
        return Seen(torch.empty(0, clip.embed_dim))
    return Seen(torch.cat(raw), torch.cat(shares) if shares else None, torch.cat(inside) if inside else None)


@torch.no_grad()
def classify_images(
    classify: Classifier,
    encoded: Encoded,
    labels: Sequence[int],
    *,
    batch_size: int,
    multi_label: MultiLabel = "softmax",
    label: str = "evaluating",
) -> Evaluation:
    """Classify encoded images among the classes of `classify`.

    Args:
        labels: their class, numbered as the classes. batch_size: images at a time; that of `encode_images` gives the
            very figures of one pass.
    """
    model = classify.model
    targets = targets_of(encoded.items, len(model.names))
    chunks = torch.split(encoded.features, batch_size) if encoded.items else ()
    slow = model.prompts.conditional  # every image has class texts of its own, which takes longer than the image
    predicted: list[Tensor] = []
    confidence: list[Tensor] = []
    scores: list[Tensor] = []
    for features in progress(chunks, len(chunks), f"{label}: class texts", "batches") if slow else chunks:
        logits = classify.logits(features.to(model.clip.device))
        top = logits.softmax(dim=1).max(dim=1)
        confidence.append(top.values.cpu())
        predicted.append(top.indices.cpu())
        if targets is not None:
            scores.append(class_scores(logits[:, : len(model.names)].cpu(), multi_label))
    return Evaluation(
        torch.cat(predicted) if predicted else torch.empty(0, dtype=torch.long),
        torch.tensor(list(labels), dtype=torch.long),
        torch.cat(confidence) if confidence else torch.empty(0),
        tuple(model.names),
        tuple(item.group for item in encoded.items),
        encoded.attention,
        targets,
        torch.cat(scores) if scores else None,
    )
