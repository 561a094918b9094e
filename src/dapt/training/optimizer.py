"""The optimisers: the field's SGD, and AdamW."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from dapt.config import RunConfig


def make_optimizer(parameters: Iterable[nn.Parameter], config: RunConfig) -> torch.optim.Optimizer:
    """SGD with momentum 0.9 and weight decay 5e-4 on the prompts too, no dampening, no Nesterov; or AdamW."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    lr = config.lr if config.lr is not None else config.warmup_lr
    if config.optimizer == "adamw":
        return torch.optim.AdamW(trained, lr=lr, weight_decay=config.weight_decay)
    return torch.optim.SGD(trained, lr=lr, momentum=config.momentum, weight_decay=config.weight_decay)
