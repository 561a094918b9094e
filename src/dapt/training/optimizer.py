"""The optimisers: the field's SGD, and AdamW."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from dapt.config import RunConfig


def make_optimizer(parameters: Iterable[nn.Parameter], config: RunConfig) -> torch.optim.Optimizer:
    """SGD with momentum and weight decay on the prompts too, no dampening, no Nesterov; or AdamW."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    lr = config.lr if config.lr is not None else config.warmup_lr
    decay = config.weight_decay or 0.0
    if config.optimizer == "adamw":
        return torch.optim.AdamW(trained, lr=lr, weight_decay=decay)
    return torch.optim.SGD(trained, lr=lr, momentum=config.momentum, weight_decay=decay)
