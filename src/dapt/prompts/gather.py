"""Rows of all processes of a data-parallel step, for layers that look at the whole batch."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def gather_batch(own: Tensor) -> tuple[Tensor, slice]:
    """The rows of all processes with gradient, and where our own stand among them.

    Without several processes these are the rows themselves. All processes must hold equally many.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return own, slice(0, len(own))
    from torch.distributed.nn.functional import all_gather

    first = dist.get_rank() * len(own)
    rows = all_gather(own)  # type: ignore[no-untyped-call]
    return torch.cat(rows), slice(first, first + len(own))
