"""What is done about poor masks: those of odd areas are left out, and images count as far as their cue is trusted.

Both are ours, and do nothing by default. A mask that covers next to nothing, or nearly all, shows one of its two views
whole: pulling towards it teaches nothing about the object.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dapt.cues.base import Cue, CueReport
from dapt.dapt_options import DaptOptions
from dapt.data.items import Item
from dapt.errors import DataError
from dapt.wording import some


@dataclass(frozen=True)
class Guarded:
    """Masks to train with.

    Attributes:
        masks: one per image, or None. trust: ``[N]`` what each image counts in the DAPT terms; None: all the same.
    """

    masks: list[Tensor | None]
    trust: Tensor | None = None


def guard(cue: Cue, items: Sequence[Item], masks: Sequence[Tensor | None], options: DaptOptions) -> Guarded:
    """The masks that a cue has prepared, as far as its poor ones are kept; the cue's report counts the others.

    Raises:
        DataError: a confidence of the cue is none, see `trust_of`.
    """
    kept = list(masks)
    if options.guards:
        cue.report, kept = within(cue.report, items, masks, options.min_area, options.max_area)
    return Guarded(kept, trust_of(cue, items, kept) if options.trust == "score" else None)


def within(
    report: CueReport, items: Sequence[Item], masks: Sequence[Tensor | None], least: float, most: float
) -> tuple[CueReport, list[Tensor | None]]:
    """The masks whose foreground is a share of the image in `least` .. `most`; the others become None.

    Args:
        report: on `masks`. masks: values 0..1; the area of a soft one is its mean.

    Returns:
        a report that counts those outside, and the masks.
    """
    small: list[str] = []
    large: list[str] = []
    kept: list[Tensor | None] = []
    coverage: list[float] = []
    for item, mask in zip(items, masks, strict=True):
        share = None if mask is None else float(mask.float().mean())
        if share is not None and least <= share <= most:
            coverage.append(share)
            kept.append(mask)
            continue
        kept.append(None)
        if share is not None:
            (small if share < least else large).append(item.name)
    return replace(report, small=small, large=large, coverage=coverage), kept


def trust_of(cue: Cue, items: Sequence[Item], masks: Sequence[Tensor | None]) -> Tensor:
    """What each image counts in the DAPT terms, ``[N]`` float32: its score, divided by the mean over usable masks.

    The mean weight of usable masks is 1, so equal scores are as good as none, and an image counts the same whatever
    its neighbours in the batch are. Images without a score weigh 1.

    Raises:
        DataError: a score of the cue is not from 0 to 1.
    """
    scores = cue.report.scores
    wrong = [name for name, score in scores.items() if not (math.isfinite(score) and 0 <= score <= 1)]
    if wrong:
        raise DataError(
            f"The cue {cue.name} gave scores that are not from 0 to 1: {scores[wrong[0]]:g} for {some(wrong)}.",
            todo="Mend the cue, or leave dapt.trust out.",
        )
    given = [scores.get(item.name) if mask is not None else None for item, mask in zip(items, masks, strict=True)]
    known = [score for score in given if score is not None]
    mean = math.fsum(known) / len(known) if known else 0.0
    alike = len(set(known)) < 2 or mean == 0
    weights = [1.0 if alike or score is None else score / mean for score in given]
    return torch.tensor(weights, dtype=torch.float64).float()


def trust_summary(cue: Cue, items: Sequence[Item], trust: Tensor | None = None) -> tuple[str, bool]:
    """One line for people on the scores of a cue, and whether it is a warning: they change nothing.

    Args:
        trust: of `trust_of`, from which it is seen whether those of the masks in use are alike.
    """
    scores = [cue.report.scores[item.name] for item in items if item.name in cue.report.scores]
    if not scores:
        return f"dapt.trust=score changes nothing: the cue {cue.name} gives no scores, so all images weigh 1.", True
    if len(set(scores)) == 1 and len(scores) == len(items):
        return f"dapt.trust=score changes nothing: all scores of the cue {cue.name} are {scores[0]:g}.", True
    if trust is not None and bool((trust == 1).all()):
        return (
            f"dapt.trust=score changes nothing: the cue {cue.name} gives scores to {len(scores)} of {len(items)} "
            "images, and those of the masks in use are all alike.",
            True,
        )
    text = (
        f"dapt.trust=score: {len(scores)} of {len(items)} images have a score, from {min(scores):.2f} to "
        f"{max(scores):.2f}, mean {math.fsum(scores) / len(scores):.2f}"
    )
    return text + ("" if len(scores) == len(items) else "; the others weigh as the mean"), False
