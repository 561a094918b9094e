"""One batch of training images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import torch
from torch import Tensor

MultiLabel = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        pixels: ``[B, 3, H, W]`` normalised. labels: ``[B]``.
        masks: ``[B, 1, H, W]`` in 0..1, 1 = foreground, or None.
        usable: ``[B]`` bool: the image has a usable foreground cue; None: all have.
        targets: ``[B, C]`` of 0 and 1: the classes an image shows, where it may show several; `labels` are then the
            first of them. None: one class each.
        weights: ``[B]`` what each image counts in the classification loss; None: 1.
        multi_label: how logits are compared with `targets`, see `dapt.objectives.classification.image_losses`.
        trust: ``[B]`` what each image counts in the DAPT terms, of mean 1 over the training set; None: all the same.
        background: ``[B]`` number of the background text that L_b aims at, -1: the nearest one; None: always that.
        before: pixels ``[1, 3, H, W]``, mask ``[1, 1, H, W]`` and whether that is usable ``[1]`` of the image that lies
            ahead of the first one, where that is not the last of the batch: of one process's share, of one part of
            saved views. None: it is the last one.
        saved: by view, what the image tower made of it before, ``[B, width]``. `pixels` is then empty, and of each mask
            there is the mean alone, ``[B, 1, 1, 1]``. None: there are pixels.
    """

    pixels: Tensor
    labels: Tensor
    masks: Tensor | None = None
    usable: Tensor | None = None
    targets: Tensor | None = None
    weights: Tensor | None = None
    multi_label: MultiLabel = "softmax"
    trust: Tensor | None = None
    background: Tensor | None = None
    saved: Mapping[str, Tensor] | None = None
    before: tuple[Tensor, Tensor, Tensor] | None = None

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        parts: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {
            name: part.to(device) if isinstance(part, Tensor) else part for name, part in parts.items()
        }
        if self.saved is not None:
            moved["saved"] = {view: features.to(device) for view, features in self.saved.items()}
        if self.before is not None:
            moved["before"] = tuple(part.to(device) for part in self.before)
        return Batch(**moved)
