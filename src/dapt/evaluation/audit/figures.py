"""What the answers of models to the variants of images say of how much hangs on the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from dapt.evaluation.audit.answers import NO_ANSWER, Answers
from dapt.evaluation.audit.donors import NONE, Donors
from dapt.evaluation.audit.intervals import Means, mcnemar
from dapt.evaluation.audit.variants import NEXT, ORIGINAL, RAND, SAME

SIZES = ("small", "medium", "large")

Figure = dict[str, Any]  # value, low, high (percent or None) and images


@dataclass(frozen=True)
class Asked:
    """What was asked: images with their true classes, donors and sizes.

    Attributes:
        known: ``[M]`` classes of all images, of which the first ``N`` are asked about and the others only lend.
        shares: ``[N]`` of the photograph that the object takes, 0..1. donors: of the ``M`` images. names: of the
            classes. seed: of the intervals.
    """

    known: np.ndarray
    shares: np.ndarray
    donors: Donors
    names: tuple[str, ...]
    seed: int

    @property
    def labels(self) -> np.ndarray:
        """The classes ``[N]`` of the images that are asked about."""
        return self.known[: len(self.shares)]

    def background(self, variant: str) -> np.ndarray:
        """The class ``[N]`` that lent the background of a mixture; `NONE` where there was none."""
        donor = self.donors.of[variant][: len(self.shares)]
        lent = np.array(self.known[donor])
        lent[donor == NONE] = NONE
        return lent


class _Model:
    """One model's answers as figures to be counted."""

    def __init__(self, asked: Asked, answers: Answers) -> None:
        self.asked, self.answers = asked, answers

    def made(self, variant: str) -> np.ndarray:
        made: np.ndarray = self.answers.of(variant) != NO_ANSWER
        return made

    def right(self, variant: str) -> np.ndarray:
        found: np.ndarray = (self.answers.of(variant) == self.asked.labels).astype(np.float64)
        return found

    def gap(self) -> tuple[np.ndarray, np.ndarray]:
        """Right on the background of its class less right on that of a random one, of images that have both."""
        return self.right(SAME) - self.right(RAND), self.made(SAME) & self.made(RAND)

    def changed(self) -> tuple[np.ndarray, np.ndarray]:
        """Answered otherwise on the background of a random class than in the original."""
        differs = self.answers.of(RAND) != self.answers.of(ORIGINAL)
        return differs.astype(np.float64), self.made(RAND) & self.made(ORIGINAL)

    def lost(self) -> tuple[np.ndarray, np.ndarray]:
        """Of images rightly answered in the original, those that are not on the background of a random class."""
        right = self.right(ORIGINAL) > 0
        return 1 - self.right(RAND), self.made(RAND) & self.made(ORIGINAL) & right

    def background(self, variant: str, shown: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Taken for the class that lent the background of a mixture, where that is another one.

        Args:
            shown: the variant that is answered; empty: the mixture itself. What is answered so to the original, where
                nothing of that class is to be seen, is the model's own confusion of the two classes.
        """
        lent = self.asked.background(variant)
        taken = self.answers.of(shown or variant) == lent
        return taken.astype(np.float64), self.made(variant) & (lent != NONE) & (lent != self.asked.labels)


def figures_of(asked: Asked, answers: Mapping[str, Answers]) -> dict[str, Any]:
    """All figures, in percent, with bootstrap intervals; every figure is ``{value, low, high, images}``.

    Args:
        answers: by the name of the model.

    Returns:
        ``models``: a list of figures for each model; ``comparisons``: of each pair of models, in that order, what the
        second has more than the first.
    """
    means = Means(len(asked.labels), asked.seed)
    models = {name: _Model(asked, given) for name, given in answers.items()}
    thirds, bounds = _thirds(asked.shares)
    notes = {name: _note_model(means, model, thirds) for name, model in models.items()}
    pairs = {(one, two): _note_pair(means, models[one], models[two]) for one, two in combinations(models, 2)}
    rows = means.intervals()
    return {
        "models": [
            {"name": name, **_filled(notes[name], rows, bounds), "per_class": _per_class(asked, model)}
            for name, model in models.items()
        ],
        "comparisons": [
            {"first": one, "second": two, **_filled(noted, rows, bounds), "mcnemar": _tests(models[one], models[two])}
            for (one, two), noted in pairs.items()
        ],
    }


def _note_model(means: Means, model: _Model, thirds: Sequence[np.ndarray]) -> dict[str, Any]:
    """The numbers of a model's figures in `means`, in the form in which they are told."""
    variants = model.answers.variants
    noted: dict[str, Any] = {
        "accuracy": {each: means.add(model.right(each), model.made(each)) for each in variants},
    }
    mixed = SAME in variants and RAND in variants
    if mixed:
        noted["bg_gap"] = means.add(*model.gap())
    if RAND in variants:
        noted["changed"] = means.add(*model.changed())
        noted["lost"] = means.add(*model.lost())
    lent = [each for each in (RAND, NEXT) if each in variants]
    noted["taken_for_background"] = {each: means.add(*model.background(each)) for each in lent}
    noted["same_answer_to_original"] = {each: means.add(*model.background(each, ORIGINAL)) for each in lent}
    noted["by_size"] = []
    for inside in thirds:
        part: dict[str, Any] = {
            "accuracy": {each: means.add(model.right(each), model.made(each) & inside) for each in variants}
        }
        if mixed:
            gap, counted = model.gap()
            part["bg_gap"] = means.add(gap, counted & inside)
        noted["by_size"].append(part)
    return noted


def _note_pair(means: Means, one: _Model, two: _Model) -> dict[str, Any]:
    """Differences between two models, of the same images."""
    variants = one.answers.variants
    noted: dict[str, Any] = {
        "accuracy": {
            each: means.add(two.right(each) - one.right(each), one.made(each) & two.made(each)) for each in variants
        }
    }
    pairs = []
    if SAME in variants and RAND in variants:
        pairs.append(("bg_gap", one.gap(), two.gap()))
    if RAND in variants:
        pairs.append(("changed", one.changed(), two.changed()))
    for key, first, second in pairs:
        noted[key] = means.add(second[0] - first[0], first[1] & second[1])
    return noted


def _filled(noted: dict[str, Any], rows: Sequence[Figure], bounds: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Figures in the place of their numbers."""

    def fill(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: fill(value) for key, value in part.items()}
        return [fill(value) for value in part] if isinstance(part, list) else rows[part]

    filled: dict[str, Any] = fill(noted)
    if "by_size" in filled:
        filled["by_size"] = [
            {"size": size, "from_percent": 100 * low, "to_percent": 100 * high, **part}
            for size, (low, high), part in zip(SIZES, bounds, filled["by_size"], strict=True)
        ]
    return filled


def _thirds(shares: np.ndarray) -> tuple[list[np.ndarray], list[tuple[float, float]]]:
    """Which images have the smallest, middle and largest objects, and the shares between which those lie."""
    order = np.argsort(shares, kind="stable")
    parts = [np.sort(part) for part in np.array_split(order, len(SIZES))]
    masks = [np.isin(np.arange(len(shares)), part) for part in parts]
    bounds = [(float(shares[part].min()), float(shares[part].max())) if len(part) else (0.0, 0.0) for part in parts]
    return masks, bounds


def _per_class(asked: Asked, model: _Model) -> dict[str, Any]:
    """How each class hangs on the background, without intervals: there are few images of each."""
    variants = model.answers.variants
    told: dict[str, Any] = {}
    for label, name in enumerate(asked.names):
        own = asked.labels == label
        if not own.any():
            continue
        row: dict[str, Any] = {"images": int(own.sum())}
        row |= {each: _percent(model.right(each), model.made(each) & own) for each in variants}
        if SAME in variants and RAND in variants:
            gap, counted = model.gap()
            row["bg_gap"] = _percent(gap, counted & own)
        if RAND in variants:
            changed, both = model.changed()
            row["changed"] = _percent(changed, both & own)
        told[name] = row
    return told


def _percent(values: np.ndarray, counted: np.ndarray) -> float | None:
    return 100 * float(values[counted].mean()) if counted.any() else None


def _tests(one: _Model, two: _Model) -> dict[str, Any]:
    """McNemar's test of both models on every variant."""
    told = {}
    for variant in one.answers.variants:
        counted = one.made(variant) & two.made(variant)
        first, second = one.right(variant)[counted] > 0, two.right(variant)[counted] > 0
        only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
        told[variant] = {"only_first": only_first, "only_second": only_second, "p": mcnemar(only_first, only_second)}
    return told


def worst_images(asked: Asked, answers: Answers, most: int) -> list[int]:
    """Images rightly answered that a foreign background overturns, those first that lose most of their probability."""
    if RAND not in answers.variants:
        return []
    model = _Model(asked, answers)
    wrong, counted = model.lost()
    rows = {name: answers.variants.index(name) for name in (ORIGINAL, RAND)}
    fall = answers.truth[rows[ORIGINAL]] - answers.truth[rows[RAND]]
    flipped = np.flatnonzero(counted & (wrong > 0))
    return [int(place) for place in flipped[np.argsort(-fall[flipped], kind="stable")][:most]]
