"""The exported file beside the run it was made from, on photos: largest difference, answers, time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dapt.console import progress
from dapt.data.load.preprocess import bytes_of
from dapt.errors import ModelError
from dapt.model.predictor import Predictor

Bytes = np.ndarray[Any, Any]
Asked = Callable[[Bytes], Bytes]  # a decoded picture, uint8 [height, width, 3], to probabilities [C]


@dataclass(frozen=True)
class Comparison:
    """What a check has found.

    Attributes:
        images: so many were asked about. largest: difference of a probability, over all images and classes.
        mean: over images, of the largest difference of each. agreement: share of the images with the same answer.
        milliseconds, ours: per image, from decoded bytes to probabilities, one image at a time on the CPU.
        worst: the image with the largest difference.
    """

    images: int
    largest: float
    mean: float
    agreement: float
    milliseconds: float
    ours: float
    worst: str

    def tree(self, tolerance: float) -> dict[str, Any]:
        """It as in model.json, without the path of the image."""
        found = {key: value for key, value in asdict(self).items() if key != "worst"}
        return {**found, "tolerance": tolerance}


def compare(asked: Asked, predictor: Predictor, pictures: Sequence[Path]) -> Comparison:
    """Ask both about every picture.

    Raises:
        DataError: a picture is damaged.
    """

    def own(picture: Bytes) -> Bytes:
        found = predictor(picture, top=len(predictor.names))
        values = dict(zip(found.classes, found.probabilities, strict=True))
        return np.array([values[name] for name in predictor.names], dtype=np.float64)

    differences, same, seconds = [], 0, np.zeros(2)
    for number, path in enumerate(progress(pictures, len(pictures), "checking", "images")):
        picture = bytes_of(path, predictor.model.preprocess.reading).permute(1, 2, 0).numpy()
        if number == 0:  # what is made at the first call is not timed
            own(picture), asked(picture)
        begun = time.perf_counter()
        ours = own(picture)
        between = time.perf_counter()
        theirs = asked(picture)
        seconds += (between - begun, time.perf_counter() - between)
        difference = float(np.abs(ours - theirs).max())
        differences.append(float("inf") if np.isnan(difference) else difference)
        same += int(ours.argmax() == theirs.argmax())
    count = len(differences)
    first, second = (1000 * seconds / count).tolist()
    worst = int(np.argmax(differences))
    return Comparison(
        count, differences[worst], float(np.mean(differences)), same / count, second, first, str(pictures[worst])
    )


def refuse_different(found: Comparison, tolerance: float, to: str) -> None:
    """Refuse an export that answers otherwise than its run.

    Raises:
        ModelError: the largest difference is above the tolerance.
    """
    if found.largest <= tolerance:
        return
    raise ModelError(
        f"The exported model differs from the run: a probability by {found.largest:.4g}, above the tolerance of "
        f"{tolerance:g}, at {found.worst}. Nothing was written.",
        where=f"--to {to}",
        todo=f"{100 * found.agreement:.1f}% of {found.images} answers are the same; where that will do, pass a greater "
        "--tolerance.",
    )
