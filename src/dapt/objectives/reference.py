"""Features of the untouched model that objectives compare with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip, unit


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
