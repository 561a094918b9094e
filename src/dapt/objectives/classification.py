"""Cross-entropy of the image against the class texts, the loss every method shares."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from dapt.data.batch import Batch
from dapt.model.needs import CLASSES, FULL, Needs, Outputs
from dapt.objectives.base import Objective, Term


class Classification(Objective):
    """``L_cls``: cross-entropy over exactly C class columns, mean over the batch.

    With image weights w it is ``mean_i w_i CE_i``: weights whose mean over the training set is 1 keep its scale, and
    an image counts the same whatever its neighbours are. Where images show several classes, see `image_losses`.
    """

    recordable = True
    multi_label = True
    weighted = True
    extra_columns = True

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs({FULL: True}, {CLASSES: True})

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        logits = outputs.logits(FULL)
        if batch.targets is None and batch.weights is None:
            return {"L_cls": Term(F.cross_entropy(logits, batch.labels), 1.0)}
        losses = image_losses(logits, batch.labels, batch)
        if batch.weights is not None:
            losses = batch.weights * losses
        return {"L_cls": Term(losses.mean(), 1.0)}


def image_losses(logits: Tensor, labels: Tensor, batch: Batch) -> Tensor:
    """The classification loss of each image, ``[B]``.

    Cross-entropy against `labels`. Where images show several classes (`Batch.targets`), either cross-entropy against
    an equal share for each class shown (``softmax``), or the binary cross-entropy of the centred logits, mean over
    the classes (``sigmoid``). The logits of CLIP have no zero of their own, which is why they are centred.

    Args:
        logits: ``[B, C]``. labels: ``[B]``, or the probabilities ``[B, C]`` of a teacher.
    """
    if batch.targets is None:
        return F.cross_entropy(logits, labels, reduction="none")
    targets = batch.targets.to(logits.dtype)
    if batch.multi_label == "sigmoid":
        return F.binary_cross_entropy_with_logits(centred(logits), targets, reduction="none").mean(dim=1)
    return F.cross_entropy(logits, targets / targets.sum(dim=1, keepdim=True), reduction="none")


def centred(logits: Tensor) -> Tensor:
    """Logits ``[B, C]`` minus the mean logit of each image."""
    return logits - logits.mean(dim=1, keepdim=True)
