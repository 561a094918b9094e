"""What a decision rests on: the foreground or the background of an image.

The two parts of an image are players of a game (Shapley, A Value for n-Person Games, 1953; for explaining predictions
Strumbelj and Kononenko 2010, and Lundberg and Lee 2017, arXiv 1705.07874). A coalition is a view: both parts (the whole
image), one of them, or none, hidden pixels being the mean colour as in DAPT (arXiv 2508.00395). The worth of a view is
the log-odds of the class the model decided for, the weight of evidence in nats (Good 1950): unlike a probability it
does not saturate where a model is sure.

With two players the value of a part is the mean of what it adds to nothing and what it adds to the other part::

    foreground = ((v(F) - v(0)) + (v(FB) - v(B))) / 2
    background = ((v(B) - v(0)) + (v(FB) - v(F))) / 2

so both together are ``v(FB) - v(0)``, all that the image says beyond the empty view.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Evidence:
    """What each part of an image says for the class that was decided for, in nats; negative: it speaks against it.

    Attributes:
        foreground, background: Shapley values of the parts. whole, empty: log-odds of the class by the whole image, and
            by no image at all.
    """

    foreground: float
    background: float
    whole: float
    empty: float

    @property
    def adds(self) -> bool:
        """Whether the image makes the model surer of the class than no image at all; if not, the share says little."""
        return self.foreground + self.background > 0  # which is whole - empty

    @property
    def background_share(self) -> float | None:
        """The share of the evidence *for* the decision that comes from the background, 0..1.

        A part that speaks against the decision has no share in it: 0 if that is the background, 1 if it is the
        foreground. None where neither part speaks for it: the class wins on an empty image already.
        """
        supports = max(self.foreground, 0.0), max(self.background, 0.0)
        total = sum(supports)
        return supports[1] / total if total > 0 else None


def log_odds(logits: Tensor, targets: Tensor) -> Tensor:
    """Log-odds ``[B]`` of the target classes against all others, ``log(p / (1 - p))`` of the softmax.

    Args:
        logits: ``[B, C]``, of at least two classes. targets: ``[B]``.
    """
    chosen = targets.view(-1, 1)
    others = logits.scatter(1, chosen, -torch.inf).logsumexp(dim=1)
    return logits.gather(1, chosen)[:, 0] - others


def evidence_of(whole: Tensor, foreground: Tensor, background: Tensor, empty: Tensor) -> list[Evidence | None]:
    """The evidence of each image for the class that the model decides for on the whole of it.

    Args:
        whole, foreground, background: logits ``[B, C]`` of the views. empty: ``[1, C]`` of the mean colour.

    Returns:
        one for each image; None of a single class, for which there is nothing to decide.
    """
    if whole.shape[1] < 2:
        return [None] * len(whole)
    targets = whole.argmax(dim=1).cpu()
    views = (whole, foreground, background, empty.expand_as(whole))
    both, front, back, none = (log_odds(logits.cpu().double(), targets) for logits in views)  # MPS has no doubles
    of_front = ((front - none) + (both - back)) / 2
    of_back = ((back - none) + (both - front)) / 2
    rows = zip(of_front.tolist(), of_back.tolist(), both.tolist(), none.tolist(), strict=True)
    return [Evidence(*row) for row in rows]
