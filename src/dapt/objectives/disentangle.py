"""DAPT's objective: disentangled alignment and the pull-push term.

Decouple before Align: Visual Disentanglement Enhances Prompt Tuning, TPAMI 2025, arXiv 2508.00395. Weights,
margin, words and the two-phase schedule are those of the released code; its defects are not reproduced (the
class softmax has exactly C columns, all background words form the background set).

- ``L_f`` = CE(sg(foreground feature), class texts, label): teaches the text side.
- ``L_b`` = CE(background feature, background texts, nearest background text): teaches both sides.
- ``L_v`` = mean max(0, |f - sg(f_fg)| - |f - sg(f_bg)| + margin): teaches the image side.

Ours, both off by default: L_b may aim at a text that was chosen before training (`Batch.background`), and the terms of
each image may be weighted by how far its cue is trusted (`Batch.trust`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable

import torch
import torch.nn.functional as F
from torch import Tensor

from dapt.config import DaptOptions
from dapt.data.batch import Batch
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FULL, Needs, Outputs, Trainable
from dapt.model.views import masks_of
from dapt.objectives.base import Objective, Term
from dapt.objectives.classification import image_losses
from dapt.objectives.reliability import ReliabilityGate, gate_loss


class Disentangle(Objective):
    """The DAPT terms that can teach something, given what the host method trains.

    Args:
        options: weights, margin, schedule.
        trainable: what the host trains; terms without a trainable path are left out (see `left_out`).

    Attributes:
        left_out: one sentence per term that is left out because nothing it reaches is trained.
    """

    recordable = True

    def __init__(self, options: DaptOptions, trainable: Trainable) -> None:
        self.options = options
        self.gate = ReliabilityGate() if options.gate else None
        self.helper = self.gate
        self.left_out: list[str] = []
        self._weights: dict[str, float] = {}
        reach = {
            "L_v": (trainable.image, options.visual_weight, "the image side is not trained"),
            "L_f": (
                trainable.class_texts or trainable.logits or (options.foreground_gradient and trainable.image),
                options.foreground_weight,
                "the class texts are not trained",
            ),
            "L_b": (
                trainable.image or trainable.background_texts,
                options.background_weight,
                "neither the image side nor the background texts are trained",
            ),
        }
        for name, (reached, weight, reason) in reach.items():
            if not reached:
                self.left_out.append(f"{name} is left out: {reason} by this method.")
            elif weight:
                self._weights[name] = weight

    def switch_epoch(self, epochs: int) -> int:
        """First epoch (0-based) of the second phase: ceil(switch * epochs); 7 of 10 as released."""
        return math.ceil(round(self.options.switch * epochs, 9))

    def active(self, epoch: int, epochs: int) -> dict[str, float]:
        """Names and weights of the terms of `epoch`."""
        if self.options.variant == "joint":
            return self._weights
        first_phase = epoch < self.switch_epoch(epochs)
        return {name: weight for name, weight in self._weights.items() if (name == "L_v") == first_phase}

    def stage(self, epoch: int, epochs: int) -> Hashable:
        return tuple(self.active(epoch, epochs))

    def too_short(self, epochs: int) -> str | None:
        """One sentence if a training of so many epochs ends before the second phase begins, unless it was so asked."""
        second = [name for name in self._weights if name != "L_v"]
        asked = self.options.variant == "joint" or self.options.switch == 1
        if not second or not epochs or asked or self.switch_epoch(epochs) < epochs:
            return None
        never = "never act" if len(second) > 1 else "never acts"
        return (
            f"{' and '.join(second)} {never}: dapt.switch={self.options.switch:g} puts the second phase after epoch "
            f"{self.switch_epoch(epochs)} of {epochs}. Use more epochs, a smaller dapt.switch, or dapt.variant=joint."
        )

    def needs(self, epoch: int, epochs: int) -> Needs:
        active = self.active(epoch, epochs)
        needs = Needs()
        if self.gate is not None:
            needs |= Needs({FULL: False, FOREGROUND: False}, {CLASSES: False})
        if "L_v" in active:
            needs |= Needs({FULL: True, FOREGROUND: False, BACKGROUND: False})
        if "L_f" in active:
            needs |= Needs({FOREGROUND: self.options.foreground_gradient}, {CLASSES: True})
        if "L_b" in active:
            needs |= Needs({BACKGROUND: True}, {BACKGROUND: True})
        return needs

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        active = self.active(epoch, epochs)
        values: dict[str, Tensor] = {}
        if "L_v" in active:
            image = outputs.image[FULL]
            pull = F.pairwise_distance(image, outputs.image[FOREGROUND].detach())  # adds 1e-6, as published
            push = F.pairwise_distance(image, outputs.image[BACKGROUND].detach())
            values["L_v"] = F.relu(pull - push + self.options.margin)
        if "L_f" in active:
            foreground = outputs.image[FOREGROUND]
            logits = outputs.logits_of(foreground if self.options.foreground_gradient else foreground.detach())
            values["L_f"] = image_losses(logits, outputs.targets(batch.labels), batch)
        if "L_b" in active:
            logits = outputs.logits(BACKGROUND, BACKGROUND)
            values["L_b"] = F.cross_entropy(logits, background_targets(logits, batch.background), reduction="none")
        if batch.trust is not None:
            values = {name: batch.trust * value for name, value in values.items()}
        weights = dict(active)
        if self.gate is not None:
            trust, values["L_gate"] = self._trust(outputs, batch)
            weights["L_gate"] = 1.0
            for name in {"L_v", "L_f"} & set(values):
                values[name] = trust * values[name]
        return {name: Term(_mean(value, batch.usable), weights[name]) for name, value in values.items()}

    def _trust(self, outputs: Outputs, batch: Batch) -> tuple[Tensor, Tensor]:
        """Trust in each foreground view ``[B]``, and the loss ``[B]`` that teaches the gate."""
        assert self.gate is not None
        full, foreground = outputs.logits(FULL).detach(), outputs.logits(FOREGROUND).detach()
        trust, score = self.gate(full, foreground, masks_of(batch).float().flatten(1).mean(dim=1))
        targets = outputs.targets(batch.labels)
        labels = targets if targets.dim() == 1 else targets.argmax(dim=1)
        return trust.detach(), gate_loss(score, full, foreground, labels)


def background_targets(logits: Tensor, known: Tensor | None) -> Tensor:
    """The number ``[B]`` of the background text that each image's background is to be.

    Args:
        logits: ``[B, W]`` of the background views.
        known: ``[B]`` numbers told beforehand, -1 where there is none; None: there is none for any image.
    """
    nearest = logits.detach().argmax(dim=1)
    return nearest if known is None else torch.where(known >= 0, known, nearest)


def _mean(per_image: Tensor, usable: Tensor | None) -> Tensor:
    """Mean over the batch, images without a usable cue counting as zero.

    Dividing by the batch size keeps the weight of an image the same whatever its neighbours are, and makes
    the mean over several processes equal to the mean over one large batch.
    """
    if usable is not None:
        per_image = torch.where(usable, per_image, torch.zeros_like(per_image))
    return per_image.mean()
