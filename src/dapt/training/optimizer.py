"""The optimisers: the field's SGD, Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import nn

ADAM_EPS = 1e-8  # torch's own


def make_optimizer(
    parameters: Iterable[nn.Parameter],
    kind: Literal["sgd", "adam", "adamw"] = "sgd",
    *,
    lr: float,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    adam_eps: float | None = None,
) -> torch.optim.Optimizer:
    """SGD with momentum and weight decay on the prompts too, no dampening, no Nesterov; or Adam or AdamW.

    The decay of SGD and Adam is added to the gradient, that of AdamW is apart from it.

    Args:
        parameters: those that need no gradient are left out. momentum: of SGD.
        adam_eps: added to the denominator by Adam and AdamW; None: 1e-8.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if kind != "sgd":
        adam = torch.optim.AdamW if kind == "adamw" else torch.optim.Adam
        return adam(trained, lr=lr, weight_decay=weight_decay, eps=ADAM_EPS if adam_eps is None else adam_eps)
    return torch.optim.SGD(trained, lr=lr, momentum=momentum, weight_decay=weight_decay)
