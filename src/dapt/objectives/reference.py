"""What the untouched model, or a teacher, says, and how far a prediction is from it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from dapt.clip.frozen import FrozenClip, unit
from dapt.clip.logits import class_logits
from dapt.model.needs import FROZEN, Outputs


@torch.no_grad()
def template_features(
    clip: FrozenClip, templates: Sequence[str], names: Sequence[str], *, unit_first: bool = True
) -> Tensor:
    """Unit-length features ``[C, D]`` of hand-written texts, averaged over `templates`.

    Args:
        templates: each with ``{}`` for the class name. names: class names (underscores become spaces).
        unit_first: make the feature of each template unit-length before the average.
    """
    clean = [name.replace("_", " ") for name in names]
    total: Tensor | None = None
    for template in templates:
        tokens = clip.tokenizer.plain([template.replace("{}", name) for name in clean]).to(clip.device)
        features = clip.encode_text(tokens) if unit_first else clip.text.encode(tokens).float()
        total = features if total is None else total + features
    assert total is not None, "no templates"
    return unit(total / len(templates))


def zero_shot_logits(outputs: Outputs, reference: Tensor) -> Tensor:
    """Logits ``[B, C]`` of the untouched model, from its image features and class features `reference` ``[C, D]``."""
    return class_logits(outputs.image[FROZEN], reference, outputs.scale, outputs.bias)


def mean_divergence(logits: Tensor, known: Tensor) -> Tensor:
    """``KL(softmax(known) || softmax(logits))``, summed over ``[B, C]`` and divided by B * C (as released)."""
    pair = logits.log_softmax(dim=1), known.log_softmax(dim=1)
    return F.kl_div(*pair, reduction="sum", log_target=True) / known.numel()
