"""The optimisers: the field's SGD, and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import nn


def make_optimizer(
    parameters: Iterable[nn.Parameter],
    kind: Literal["sgd", "adamw"] = "sgd",
    *,
    lr: float,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
) -> torch.optim.Optimizer:
    """SGD with momentum and weight decay on the prompts too, no dampening, no Nesterov; or AdamW, without momentum.

    Args:
        parameters: those that need no gradient are left out.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if kind == "adamw":
        return torch.optim.AdamW(trained, lr=lr, weight_decay=weight_decay)
    return torch.optim.SGD(trained, lr=lr, momentum=momentum, weight_decay=weight_decay)
