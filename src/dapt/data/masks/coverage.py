"""Whether the shares of foreground look like objects: masks may be usable one by one and wrong all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

SMALL, LARGE = 0.02, 0.90
NEARLY_ALL = 0.9
FEW = 3
EXCHANGED = (
    "foreground and background may be exchanged (dark objects on white are read by --mask-format colours "
    "--mask-background white)"
)


@dataclass
class ClassMasks:
    """What is known of the masks of one class.

    Attributes:
        coverage: shares of foreground of the usable masks, 0..1. empty, full: masks without foreground or background.
        missing: images without a mask. framed: usable masks whose foreground lies around the picture, see `is_framed`.
    """

    coverage: list[float] = field(default_factory=list)
    empty: int = 0
    full: int = 0
    missing: int = 0
    framed: int = 0


def is_framed(mask: Tensor) -> bool:
    """Whether a mask ``[H, W]`` is foreground in most of the picture and nearly all along its edges."""
    edges = torch.cat([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).float()
    return float(mask.float().mean()) > 0.5 and float(edges.mean()) > NEARLY_ALL


def is_plausible(shares: Sequence[float]) -> bool:
    """Whether at least half of the shares of foreground are those of objects."""
    return 2 * sum(SMALL <= share <= LARGE for share in shares) >= len(shares) > 0


def doubts(classes: Mapping[str, ClassMasks]) -> list[str]:
    """Sentences on what looks wrong: nearly all masks tiny or huge, or a class without one usable mask.

    Args:
        classes: by name.
    """
    shares = [share for masks in classes.values() for share in masks.coverage]
    said = []
    if len(shares) >= FEW:
        for much, what, hint in (
            (sum(share < SMALL for share in shares), f"less than {100 * SMALL:.0f}%", "the format may be another"),
            (sum(share > LARGE for share in shares), f"more than {100 * LARGE:.0f}%", EXCHANGED),
            (sum(masks.framed for masks in classes.values()), "all around the middle", EXCHANGED),
        ):
            if much >= NEARLY_ALL * len(shares):
                said.append(f"{much} of {len(shares)} masks cover {what} of their image: {hint}.")
                break
    for name, masks in classes.items():
        blank = masks.empty + masks.full
        if shares and not masks.coverage and blank + masks.missing:
            why = ", ".join(
                f"{number} {kind}"
                for number, kind in ((masks.empty, "empty"), (masks.full, "full"), (masks.missing, "without a file"))
                if number
            )
            said.append(f"No mask of the class '{name}' is usable ({why}), unlike those of other classes.")
    return said
