"""The linear probe: logistic regression on image features.

Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision, ICML, arXiv 2103.00020,
with the search for the strength of the penalty that CoOp's comparison uses (Zhou et al. 2022, arXiv 2109.01134).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip
from dapt.clip.tokens import PromptTokens
from dapt.console import progress, say, warn
from dapt.errors import DataError, NotSupportedError
from dapt.methods.linear_probe import LinearProbeOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.fixed import FixedClassPrompts

EXPONENTS = (6, 4, 2, 0, -2, -4, -6)  # of 10: where the search for C begins, as released


class ProbePrompts(FixedClassPrompts):
    """`weight` ``[C, D]`` and `bias` ``[C]`` on features as the tower gives them; `c`: the C they were fitted with.

    They are fitted before training, whose steps there are none of.
    """

    unit_features = False
    looks_first = True
    options: LinearProbeOptions

    def __init__(
        self, options: LinearProbeOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        self.weight = nn.Parameter(torch.zeros(len(self.names), clip.embed_dim))
        self.bias = nn.Parameter(torch.zeros(len(self.names)))
        self.register_buffer("c", torch.tensor(options.c or 1.0))
        self.c: Tensor

    def texts(self, names: Sequence[str]) -> list[PromptTokens]:
        self._check_names(names)
        return []

    def class_features(self, names: Sequence[str]) -> Tensor:
        return self.weight

    def adjust_logits(self, logits: Tensor, features: Tensor) -> Tensor:
        return features @ self.weight.t() + self.bias

    @torch.no_grad()
    def prepare(self, seen: TrainingSet) -> None:
        regression = logistic_regression()
        if len(set(seen.labels.tolist())) < 2:
            raise DataError("A linear probe needs training images of at least two classes.")
        features, labels = seen.features(0).cpu().double(), seen.labels
        fits: dict[float, Fit] = {}

        def fit(c: float) -> Fit:
            if c not in fits:
                fits[c] = fit_probe(regression, features, labels, len(self.names), c, self.options.max_iter)
            return fits[c]

        c = self.options.c or self._search(seen, fit)
        best = fit(c)
        if not best.converged:
            warn(f"The linear probe had not converged after {self.options.max_iter} iterations (C = {c:.3g}).")
        self.weight.copy_(best.weight)
        self.bias.copy_(best.bias)
        self.c.fill_(c)

    def _search(self, seen: TrainingSet, fit: Callable[[float], Fit]) -> float:
        """The C of the best fit on the validation images."""
        count = len(seen.val_labels)
        if not count:
            warn("There are no validation images to choose C by, so the linear probe uses C = 1 (--set prompt.c=...).")
            return 1.0
        features = seen.val_features().cpu().double()

        def accuracy(c: float) -> float:
            return 100 * float((fit(c).predict(features) == seen.val_labels).double().mean())

        c = search_c(accuracy, self.options.steps)
        say(f"C {c:.4g} by {count} validation images (accuracy {accuracy(c):.1f}%)")
        return c


@dataclass(frozen=True)
class Fit:
    """A fitted probe in float64: `weight` ``[C, D]``, `bias` ``[C]``, and whether the solver came to an end."""

    weight: Tensor
    bias: Tensor
    converged: bool

    def predict(self, features: Tensor) -> Tensor:
        """The class of each feature ``[N, D]``."""
        return (features @ self.weight.t() + self.bias).argmax(dim=1)


def logistic_regression() -> Any:
    """scikit-learn's LogisticRegression.

    Raises:
        NotSupportedError: scikit-learn is not installed.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise NotSupportedError(
            "The linear probe needs scikit-learn, which is not installed.", todo='Run: pip install "dapt[probe]"'
        ) from None
    return LogisticRegression


def fit_probe(regression: Any, features: Tensor, labels: Tensor, classes: int, c: float, max_iter: int) -> Fit:
    """Multinomial logistic regression with penalty ``|W|^2 / (2 C)``, the bias free, by L-BFGS.

    Args:
        regression: see `logistic_regression`. features: ``[N, D]`` float64. labels: ``[N]`` in 0 .. classes - 1.
        Classes without an image are never predicted.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = regression(solver="lbfgs", C=c, max_iter=max_iter).fit(features.numpy(), labels.numpy())
    rows, offsets = torch.from_numpy(found.coef_), torch.from_numpy(found.intercept_)
    if len(rows) == 1:  # of two classes scikit-learn gives the difference
        rows, offsets = torch.cat([-rows, rows]) / 2, torch.cat([-offsets, offsets]) / 2
    present = torch.from_numpy(found.classes_)
    weight = features.new_zeros(classes, features.shape[1])
    bias = features.new_full((classes,), -math.inf)
    weight[present], bias[present] = rows, offsets
    return Fit(weight, bias, int(found.n_iter_.max()) < max_iter)


def search_c(score: Callable[[float], float], steps: int) -> float:
    """The C that the search of CoOp's comparison ends with.

    It takes the best of 1e6, 1e4, ..., 1e-6 (the first of several) and halves the decades from a tenth to ten times
    that `steps` times, each time keeping the better end, the lower one when they are equal. The better end of the last
    step is the result.

    Args:
        score: figure of merit of a C; asked once for each.
    """
    known: dict[float, float] = {}

    def of(exponent: float) -> float:
        if exponent not in known:
            known[exponent] = score(10.0**exponent)
        return known[exponent]

    for exponent in progress(EXPONENTS, len(EXPONENTS), "search for C", "fits"):
        of(exponent)
    peak = max(EXPONENTS, key=of)
    left, right, best = peak - 1.0, peak + 1.0, float(peak)
    for _ in progress(range(steps), steps, "search for C", "steps"):
        middle = (left + right) / 2
        if of(left) < of(right):
            best, left = right, middle
        else:
            best, right = left, middle
    result: float = 10.0**best
    return result
