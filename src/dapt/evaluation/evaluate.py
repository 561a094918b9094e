"""Evaluating a prompted model on images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dapt.config import MaskFormat
from dapt.console import progress
from dapt.data.items import Item
from dapt.data.loader import EvalImages, eval_loader
from dapt.data.mask_files import fit_mask, mirrored, read_mask
from dapt.data.transforms import eval_transform
from dapt.errors import DataError
from dapt.evaluation.attention import can_show_attention, features_and_attention, foreground_share
from dapt.evaluation.metrics import accuracy, per_class, per_class_mean, per_group, worst_group
from dapt.training.model import PromptedClip


@dataclass(frozen=True)
class MaskSource:
    """Where the true masks of evaluation images come from."""

    folder: Path | None = None
    kind: MaskFormat = "binary"

    def path(self, item: Item) -> Path | None:
        """Where the true mask of an item is: the data set's own, else the one in the folder, or None."""
        if item.mask is not None and item.mask.is_file():
            return item.mask
        return mirrored(self.folder, item.name) if self.folder else None

    def read(self, item: Item, size: tuple[int, int]) -> Tensor | None:
        """The mask of an item at the `size` of its image, float ``[H, W]``, or None.

        A mask that cannot be read counts as none: evaluation goes on without that image's attention figure.
        """
        path = self.path(item)
        if path is None:
            return None
        try:
            return fit_mask(read_mask(path, self.kind), size, path, item.path).float()
        except DataError:
            return None


@dataclass(frozen=True)
class Evaluation:
    """Predictions on a list of images, and the figures that follow from them.

    Attributes:
        predicted, labels: ``[N]``. confidence: ``[N]`` probability of the prediction.
        names: class names. groups: per image, or None. attention: mean foreground share in percent, or None.
    """

    predicted: Tensor
    labels: Tensor
    confidence: Tensor
    names: tuple[str, ...]
    groups: tuple[str | None, ...]
    attention: float | None

    def metrics(self, prefix: str = "test") -> dict[str, float | None]:
        """Figures by name, in percent."""
        return {
            f"{prefix}/accuracy": accuracy(self.predicted, self.labels),
            f"{prefix}/per_class_mean": per_class_mean(self.predicted, self.labels),
            f"{prefix}/worst_group": worst_group(self.predicted, self.labels, self.groups),
            "cue/foreground_attention": self.attention,
        }

    def breakdown(self) -> dict[str, dict[str, float | None]]:
        """Accuracy of each class and of each group in percent, as in results.json."""
        return {
            "per_class": per_class(self.predicted, self.labels, self.names),
            "per_group": per_group(self.predicted, self.labels, self.groups),
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
    label: str = "evaluating",
) -> Evaluation:
    """Classify images among the model's classes.

    Args:
        items: images. labels: their class, numbered as `model.names`.
        masks: true foreground masks for the attention figure; None: leave it out.
    """
    clip = model.clip
    transform = eval_transform(clip.image.image_size, clip.preprocess)
    looks = masks is not None and any(map(masks.path, items)) and can_show_attention(clip.image)
    images = EvalImages(items, transform, masks.read if masks is not None and looks else None)
    loader = eval_loader(images, batch_size=batch_size, workers=workers)
    classify = model.classifier()
    predicted: list[Tensor] = []
    confidence: list[Tensor] = []
    shares: list[Tensor] = []
    for pixels, warped in progress(loader, len(loader), label, "batches"):
        pixels = pixels.to(clip.device)
        if looks:
            features, attention = features_and_attention(classify, pixels)
            inside = warped.flatten(1).any(dim=1) & ~warped.flatten(1).all(dim=1)
            shares.append(foreground_share(attention.cpu(), warped)[inside])
        else:
            features = classify.features(pixels)
        top = classify.logits(features).softmax(dim=1).max(dim=1)
        confidence.append(top.values.cpu())
        predicted.append(top.indices.cpu())
    share = torch.cat(shares) if shares else torch.empty(0)
    return Evaluation(
        torch.cat(predicted) if predicted else torch.empty(0, dtype=torch.long),
        torch.tensor(list(labels), dtype=torch.long),
        torch.cat(confidence) if confidence else torch.empty(0),
        tuple(model.names),
        tuple(item.group for item in items),
        100.0 * float(share.double().mean()) if len(share) else None,
    )
