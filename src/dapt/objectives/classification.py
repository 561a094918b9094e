"""Cross-entropy of the image against the class texts, the loss every method shares."""

from __future__ import annotations

import torch.nn.functional as F

from dapt.objectives.base import CLASSES, FULL, Batch, Needs, Objective, Outputs, Term


class Classification(Objective):
    """``L_cls``: cross-entropy over exactly C class columns, mean over the batch."""

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs({FULL: True}, {CLASSES: True})

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        return {"L_cls": Term(F.cross_entropy(outputs.logits(FULL), batch.labels), 1.0)}
