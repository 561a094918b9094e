"""What models answer to the variants of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from dapt.clip.frozen import Preprocess
from dapt.console import progress
from dapt.data.load.notes import say_notes
from dapt.data.load.prefetch import prefetch
from dapt.data.load.transforms import eval_transform
from dapt.environment import cores
from dapt.evaluation.audit.scenes import Scenes
from dapt.model.classifier import Classifier
from dapt.model.prompted_clip import PromptedClip

NO_ANSWER = -1

Look = tuple[tuple[int, int], Preprocess]  # what decides the pixels that a model is shown


@dataclass(frozen=True)
class Answers:
    """The answers of one model.

    Attributes:
        variants: their names. predicted: ``[V, N]`` class of each variant of each image, `NO_ANSWER` where it was not
            made. confidence: ``[V, N]`` probability of that class. truth: ``[V, N]`` probability of the true class.
    """

    variants: tuple[str, ...]
    predicted: np.ndarray
    confidence: np.ndarray
    truth: np.ndarray

    def of(self, variant: str) -> np.ndarray:
        """The classes ``[N]`` answered to one variant."""
        row: np.ndarray = self.predicted[self.variants.index(variant)]
        return row


class Kept(Protocol):
    """Where answers are kept, see `dapt.evaluation.audit.kept_answers`."""

    def read(self, answers: Sequence[Answers], /) -> int:
        """Put what is kept into `answers`; returns of how many images, the first, that is."""

    def keep(self, answers: Sequence[Answers], done: int, /) -> None:
        """Keep the answers to the first `done` images."""


@dataclass(frozen=True)
class _Batch:
    """Pixels of a few images: rows are variants of images, the same in all of `pixels`."""

    variants: list[int]
    places: list[int]
    pixels: dict[Look, Tensor]


def look_of(model: PromptedClip) -> Look:
    """What decides the pixels that a model is shown."""
    return model.clip.image.image_size, model.clip.preprocess


@torch.no_grad()
def ask(
    models: Sequence[PromptedClip],
    scenes: Scenes,
    labels: Sequence[int],
    variants: Sequence[str],
    *,
    batch_size: int = 100,
    label: str = "asking",
    kept: Kept | None = None,
) -> list[Answers]:
    """Classify the variants of all images with all models.

    Composites are made in threads while the models work on those before; every image is made once for all models, and
    goes through the image tower of a model once per variant.

    Args:
        labels: the true classes of the images that are asked about, the first of the scenes, numbered as those of the
            models. batch_size: pictures at a time, about.
        kept: where answers are kept, from which an interrupted audit goes on.

    Raises:
        DaptError: what a model computes is not finite, or an image cannot be read.
    """
    shape = (len(variants), len(labels))
    found = [
        Answers(
            tuple(variants),
            np.full(shape, NO_ANSWER, dtype=np.int64),
            np.zeros(shape, dtype=np.float32),
            np.zeros(shape, dtype=np.float32),
        )
        for _ in models
    ]
    classifiers = [Classifier(model) for model in models]
    looks = {look_of(model): None for model in models}
    true = torch.tensor(list(labels), dtype=torch.long)
    per_batch = max(1, round(batch_size / max(1, len(variants))))
    starts = range(0 if kept is None else kept.read(found), len(labels), per_batch)
    for batch in progress(_batches(scenes, variants, starts, per_batch, list(looks)), len(starts), label, "batches"):
        rows, columns = batch.variants, batch.places
        for answers, classify in zip(found, classifiers, strict=True):
            pixels = batch.pixels[look_of(classify.model)].to(classify.model.clip.device)
            chances = classify(pixels)[:, : len(classify.model.names)].softmax(dim=1).cpu()
            best = chances.max(dim=1)
            answers.predicted[rows, columns] = best.indices.numpy()
            answers.confidence[rows, columns] = best.values.numpy()
            answers.truth[rows, columns] = chances.gather(1, true[columns][:, None])[:, 0].numpy()
        if kept is not None:
            kept.keep(found, columns[-1] + 1)
    say_notes()
    return found


def _batches(
    scenes: Scenes, variants: Sequence[str], starts: range, per_batch: int, looks: Sequence[Look]
) -> Iterator[_Batch]:
    transforms = {look: eval_transform(*look) for look in looks}

    def pixels_of(place: int) -> tuple[list[int], dict[Look, Tensor]]:
        made = scenes.variants(place, variants)
        stacked = torch.stack(list(made.values()))
        shown = {look: transform(stacked, None)[0] for look, transform in transforms.items()}
        return [variants.index(name) for name in made], shown

    with ThreadPoolExecutor(cores(), thread_name_prefix="dapt-audit") as pool:

        def load(start: int) -> _Batch:
            places = range(start, min(start + per_batch, starts.stop))
            several = list(pool.map(pixels_of, places))
            return _Batch(
                [variant for rows, _ in several for variant in rows],
                [place for place, (rows, _) in zip(places, several, strict=True) for _ in rows],
                {look: torch.cat([shown[look] for _, shown in several]) for look in looks},
            )

        yield from prefetch(load, starts)
