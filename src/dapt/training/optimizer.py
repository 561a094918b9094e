"""The optimisers: the field's SGD, Adam and AdamW, and Lion and Muon, which timm brings.

Lion (Chen et al. 2023, arXiv 2302.06675): every number moves by the learning rate, in the direction of the sign of its
momentum. Muon (Jordan et al. 2024; Liu et al. 2025, arXiv 2502.16982): the momentum of a matrix is made orthogonal, and
scaled so that it moves as far as AdamW would.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from dapt.errors import NotSupportedError
from dapt.methods.base import OptimizerName

ADAM_EPS = 1e-8  # torch's own
OF_TIMM = {"lion": ("Lion", "0.9"), "muon": ("Muon", "1.0.21")}  # its name there, and the version that brings it


def check_optimizer(kind: OptimizerName) -> None:
    """Refuse an optimiser that the installed timm does not have.

    Raises:
        NotSupportedError: naming the version that brings it.
    """
    if kind in OF_TIMM:
        _of_timm(kind)


def make_optimizer(
    parameters: Iterable[nn.Parameter],
    kind: OptimizerName = "sgd",
    *,
    lr: float,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    adam_eps: float | None = None,
) -> torch.optim.Optimizer:
    """SGD with momentum and weight decay on the prompts too, no dampening, no Nesterov; or Adam, AdamW, Lion or Muon.

    The decay of SGD and Adam is added to the gradient, that of the others is apart from it. Muon moves matrices, by
    Nesterov momentum of 0.95, and everything else as AdamW does, at the same rate.

    Args:
        parameters: those that need no gradient are left out. momentum: of SGD.
        adam_eps: added to the denominator by Adam and AdamW; None: 1e-8.

    Raises:
        NotSupportedError: the installed timm does not have it.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if kind == "sgd":
        return torch.optim.SGD(trained, lr=lr, momentum=momentum, weight_decay=weight_decay)
    made: torch.optim.Optimizer
    if kind == "lion":
        made = _of_timm(kind)(trained, lr=lr, weight_decay=weight_decay)
    elif kind == "muon":
        made = _of_timm(kind)(_matrices_apart(trained), lr=lr, weight_decay=weight_decay)
    else:
        adam = torch.optim.AdamW if kind == "adamw" else torch.optim.Adam
        made = adam(trained, lr=lr, weight_decay=weight_decay, eps=ADAM_EPS if adam_eps is None else adam_eps)
    return made


def _matrices_apart(parameters: Iterable[nn.Parameter]) -> list[dict[str, Any]]:
    """Groups of timm's Muon: matrices of at least two rows and columns, whatever their shape, and the rest."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for parameter in parameters:
        (matrices if parameter.dim() == 2 and min(parameter.shape) > 1 else rest).append(parameter)
    groups: list[dict[str, Any]] = []
    if matrices:
        groups.append({"params": matrices, "use_muon": True, "nesterov": True})
    if rest:
        groups.append({"params": rest, "use_fallback": True, "nesterov": False})
    return groups


def _of_timm(kind: OptimizerName) -> Any:
    """The class of an optimiser of timm."""
    name, since = OF_TIMM[kind]
    try:
        found = getattr(importlib.import_module("timm.optim"), name, None)
    except ImportError:
        found = None
    if found is None:
        raise NotSupportedError(
            f"The optimiser {kind} is part of timm {since} and later, which is not installed.",
            todo=f"Run: pip install 'timm>={since}'",
        )
    return found
