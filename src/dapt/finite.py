"""Figures that are not finite are never passed on."""

from __future__ import annotations

import torch
from torch import Tensor

from dapt.errors import DaptError

ADVICE = (
    "The learned prompts or the weights of the model are damaged, or grew too large: train again with a lower --lr, "
    "use --precision 32, or get the model again."
)


def require_finite(values: Tensor, what: str) -> Tensor:
    """`values` ``[B, ...]``, if all of them are finite.

    Args:
        what: what they are, in the plural, for the message.

    Raises:
        DaptError: some are NaN or infinite; it says of how many images.
    """
    good = torch.isfinite(values.detach())
    if not bool(good.all()):
        bad = int((~good.flatten(1).all(dim=1)).sum()) if good.dim() > 1 else int((~good).sum())
        raise DaptError(
            f"The {what} of {bad} of {len(values)} images are not finite (NaN or infinite); nothing is made of them.",
            todo=ADVICE,
        )
    return values


def require_ranked(logits: Tensor) -> Tensor:
    """Logits ``[B, C]``, if the greatest of every image is finite; single classes may be ruled out by -infinity.

    Raises:
        DaptError: they are not.
    """
    if logits.shape[1]:
        require_finite(logits.detach().amax(dim=1), "class scores")
    return logits
