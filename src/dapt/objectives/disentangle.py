"""DAPT's objective: disentangled alignment and the pull-push term.

Decouple before Align: Visual Disentanglement Enhances Prompt Tuning, TPAMI 2025, arXiv 2508.00395. The variant
``released`` has weights, margin, words and the two-phase schedule of the released code; its defects are not reproduced
(the class softmax has exactly C columns, all background words form the background set).

- ``L_f`` = CE(sg(foreground feature), class texts, label): teaches the text side; without the stop-gradient
  (``foreground_gradient``, as the default sets it) the image side, too.
- ``L_b`` = CE(background feature, background texts, nearest background text): teaches both sides.
- ``L_v`` = mean max(0, |f - sg(f_fg)| - |f - sg(f_bg)| + margin): teaches the image side.

Ours: the weight of L_v follows the logit scale, because the gradients of cross-entropies grow with it; a warm-up of all
terms, and other schedules (`dapt.dapt_variants` says which variant sets what). Also ours, and off by default: margins
and spaces of L_v, gradients that are balanced or kept from contradicting the host's (`DaptOptions`). L_b may aim at a
text that was chosen before training (`Batch.background`), and the terms of each image may be weighted by how far its
cue is trusted (`Batch.trust`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable

import torch
import torch.nn.functional as F
from torch import Tensor

from dapt.clip.logits import similarities
from dapt.config import DaptOptions
from dapt.data.batch import Batch
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FULL, Needs, Outputs, Trainable
from dapt.model.views import masks_of
from dapt.objectives.base import Objective, Term
from dapt.objectives.classification import image_losses
from dapt.objectives.gradients import Tempered
from dapt.objectives.reliability import ReliabilityGate, gate_loss

CLIP_SCALE = 100.0  # CLIP's logit scale, which the released weights were chosen for
MAIN = "main"  # the group of the host's own terms


class Disentangle(Objective):
    """The DAPT terms that can teach something, given what the host method trains.

    Args:
        options: weights, margin, schedule.
        trainable: what the host trains; terms without a trainable path are left out (see `left_out`).
        scale: the logit scale of the model; CLIP's own is 100.
        weighs: L_f, which asks for the class as L_cls does, reads the weights of images (`Batch.weights`), too.

    Attributes:
        left_out: one sentence per term that is left out because nothing it reaches is trained.
        weightless: the terms that could act, had they a weight.
    """

    recordable = True

    def __init__(
        self, options: DaptOptions, trainable: Trainable, scale: float = CLIP_SCALE, *, weighs: bool = False
    ) -> None:
        self.options = options
        self._weighs = weighs
        balance = options.balance == "gradient"
        self._tempered = (
            Tempered(MAIN, balance=balance, project=options.conflict == "project") if options.apart else None
        )
        self.gradient_rule = self._tempered
        # balanced gradients have the size of the host's, whatever the scale
        relative = scale / CLIP_SCALE if options.visual_scale == "logit" and not balance else 1.0
        self.gate = ReliabilityGate() if options.gate else None
        self.helper = self.gate
        self.left_out: list[str] = []
        self.weightless: list[str] = []
        self._weights: dict[str, float] = {}
        reach = {
            "L_v": (trainable.image, options.visual_weight * relative, "the image side is not trained"),
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
            else:
                self.weightless.append(name)

    def switch_epoch(self, epochs: int) -> int:
        """First epoch (0-based) of the second phase: ceil(switch * epochs); 7 of 10 as released."""
        return math.ceil(round(self.options.switch * epochs, 9))

    def active(self, epoch: int, epochs: int) -> dict[str, float]:
        """Names and weights of the terms of `epoch`."""
        grown = self._grown(epoch, epochs)
        weights = {name: grown * self._share(name, epoch, epochs) * weight for name, weight in self._weights.items()}
        return {name: weight for name, weight in weights.items() if weight}

    def _share(self, name: str, epoch: int, epochs: int) -> float:
        """How much of its weight a term has by the schedule."""
        schedule = self.options.schedule
        if schedule == "joint":
            return 1.0
        if schedule == "phased":
            return float((name == "L_v") == (epoch < self.switch_epoch(epochs)))
        done = epoch / (epochs - 1) if epochs > 1 else 0.5
        return 1 - done if name == "L_v" else done

    def _grown(self, epoch: int, epochs: int) -> float:
        """How far the weights have grown by `dapt.warmup`: linearly, to the full ones in the epoch after it.

        Weights change between epochs, so that a warm-up which ends within the first one is none.
        """
        growing = self.options.warmup * epochs
        return min(1.0, epoch / growing) if growing > 1 else 1.0

    def stage(self, epoch: int, epochs: int) -> Hashable:
        return tuple(self.active(epoch, epochs).items())

    def too_short(self, epochs: int) -> str | None:
        """One sentence if a training of so many epochs ends before the second phase begins, unless it was so asked."""
        second = [name for name in self._weights if name != "L_v"]
        asked = self.options.schedule != "phased" or self.options.switch == 1
        if not second or not epochs or asked or self.switch_epoch(epochs) < epochs:
            return None
        never = "never act" if len(second) > 1 else "never acts"
        return (
            f"{' and '.join(second)} {never}: dapt.switch={self.options.switch:g} puts the second phase after epoch "
            f"{self.switch_epoch(epochs)} of {epochs}. Use more epochs, a smaller dapt.switch, or dapt.variant=joint."
        )

    def acts(self, epochs: int) -> bool:
        """Whether any term acts in a training of so many epochs."""
        return any(self.active(epoch, epochs) for epoch in range(epochs))

    def needs(self, epoch: int, epochs: int) -> Needs:
        active = self.active(epoch, epochs)
        needs = Needs()
        if self.gate is not None:
            needs |= Needs({FULL: False, FOREGROUND: False}, {CLASSES: False})
        if "L_v" in active:
            needs |= Needs({FULL: True, FOREGROUND: False, BACKGROUND: False})
            if self.options.visual_space == "classes":
                needs |= Needs({}, {CLASSES: False})
        if "L_f" in active:
            needs |= Needs({FOREGROUND: self.options.foreground_gradient}, {CLASSES: True})
        if "L_b" in active:
            needs |= Needs({BACKGROUND: True}, {BACKGROUND: True})
        return needs

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        active = self.active(epoch, epochs)
        values: dict[str, Tensor] = {}
        if "L_v" in active:
            values["L_v"] = self._pull_push(outputs)
        if "L_f" in active:
            foreground = outputs.image[FOREGROUND]
            logits = outputs.logits_of(foreground if self.options.foreground_gradient else foreground.detach())
            values["L_f"] = image_losses(logits, outputs.targets(batch.labels), batch)
            if self._weighs and batch.weights is not None:
                values["L_f"] = batch.weights * values["L_f"]
        if "L_b" in active:
            logits = outputs.logits(BACKGROUND, BACKGROUND)
            if self.options.background_temperature != 1:  # no kernel for nothing
                logits = logits / self.options.background_temperature
            values["L_b"] = F.cross_entropy(logits, background_targets(logits, batch.background), reduction="none")
        if batch.trust is not None:
            values = {name: batch.trust * value for name, value in values.items()}
        weights = dict(active)
        if self.gate is not None:
            trust, values["L_gate"] = self._trust(outputs, batch)
            weights["L_gate"] = 1.0
            for name in {"L_v", "L_f"} & set(values):
                values[name] = trust * values[name]
        if self._tempered is not None:
            self._tempered.shares = weights
        return {
            name: Term(_mean(value, batch.usable), weights[name], MAIN if self._tempered is None else name)
            for name, value in values.items()
        }

    def _pull_push(self, outputs: Outputs) -> Tensor:
        """``L_v`` of each image, ``[B]``."""
        image, foreground, background = (self._placed(outputs, view) for view in (FULL, FOREGROUND, BACKGROUND))
        pull = F.pairwise_distance(image, foreground.detach())  # adds 1e-6, as published
        push = F.pairwise_distance(image, background.detach())
        margin = self.options.margin
        return F.relu(pull - push + margin if self.options.margin_kind == "absolute" else pull - (1 - margin) * push)

    def _placed(self, outputs: Outputs, view: str) -> Tensor:
        """The features of a view where L_v measures distances."""
        features = outputs.image[view]
        if self.options.visual_space == "features":
            return features
        alike = similarities(features, outputs.text[CLASSES].detach().to(features.dtype))
        return F.normalize(alike - alike.mean(dim=-1, keepdim=True), dim=-1)  # how classes differ, not what they share

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
