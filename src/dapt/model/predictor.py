"""Predictions: a model that is ready to classify pictures, for programs that ask it many times and in many threads."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.data.load.preprocess import Picture
from dapt.errors import DataError
from dapt.model.attention import can_show_attention, features_and_attention
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam
from dapt.model.pretrained import open_pretrained
from dapt.model.prompted_clip import PromptedClip

BATCH = 32  # pictures that are decoded and classified together


@dataclass(frozen=True)
class Prediction:
    """The most likely classes of one image, best first, with probabilities in 0..1.

    Attributes:
        path: of the image; None where it was given otherwise.
        features: of the image, ``[D]``.
        attention: where the class token looks in the last block, ``[h, w]`` on the patch grid; None where it was not
            asked for, or the model has no class token.
        cam: Grad-CAM of the most likely class, ``[h, w]``, 0 or more; None where it was not asked for.
    """

    path: Path | None
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    features: Tensor | None = field(default=None, compare=False, repr=False)
    attention: Tensor | None = field(default=None, compare=False, repr=False)
    cam: Tensor | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Maps:
    """Where a model looks, ``[B, h, w]`` each on the patch grid; `attention` is None without a class token."""

    attention: Tensor | None
    cam: Tensor


class Predictor:
    """A model, its class texts and its transform, made once and used by any number of threads.

    The prompts are read and the class texts encoded when it is made; what happens to the model's classes afterwards
    does not reach it. The model is put into evaluation mode and has to stay there. Passes through one frozen model take
    turns, because explanations listen to its layers and some methods change its weights for the time of a pass;
    pictures are decoded outside of that.

    Args:
        model: the model. classes: other classes to choose among; None: the model's.

    Attributes:
        model: a view of the model with these classes. names: the classes.

    Raises:
        NotSupportedError, DataError: the method cannot name these classes.
    """

    def __init__(self, model: PromptedClip, classes: Sequence[str] | None = None) -> None:
        self.model = model.eval().with_classes(classes)
        self.names = tuple(self.model.names)
        self._lock = _lock_of(model.clip)
        with self._lock:
            self._classify = Classifier(self.model)

    @classmethod
    def from_pretrained(cls, folder: Path | str, classes: Sequence[str] | None = None, **how: Any) -> Predictor:
        """A predictor of a saved model or a finished run.

        Args:
            folder: see `dapt.load_model`. classes: as above. how: the other arguments of `dapt.load_model`.

        Raises:
            DaptError: there is none, it is damaged, or belongs to another frozen model.
        """
        return cls(open_pretrained(folder, **how), classes)

    @overload
    def __call__(self, images: Picture, *, top: int = 5, explain: bool = False) -> Prediction: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(
        self, images: Tensor | Sequence[Picture | Tensor], *, top: int = 5, explain: bool = False
    ) -> list[Prediction]: ...
    def __call__(
        self, images: Picture | Tensor | Sequence[Picture | Tensor], *, top: int = 5, explain: bool = False
    ) -> Prediction | list[Prediction]:
        """Classify pictures.

        Args:
            images: a path, a PIL image or a uint8 array ``[H, W, 3]``, of which there is one prediction; normalised
                pixels ``[B, 3, H, W]``, or a sequence of any of these, of which there is a list, one of each image.
            top: so many classes, the most likely. explain: also where the model looks.

        Raises:
            DataError: a picture is damaged, has too many pixels, or is none.
            NotSupportedError: `explain` of a model without transformer blocks.
        """
        if isinstance(images, Tensor):
            return self._predict([images], top, explain)
        if isinstance(images, Sequence) and not isinstance(images, str):
            starts = range(0, len(images), BATCH)
            return [each for start in starts for each in self._predict(images[start : start + BATCH], top, explain)]
        return self._predict([images], top, explain)[0]

    def _predict(self, images: Sequence[Picture | Tensor], top: int, explain: bool) -> list[Prediction]:
        """Predictions of a few pictures, which are classified in one pass."""
        pixels: list[Tensor] = []
        paths: list[Path | None] = []
        for image in images:
            if isinstance(image, Tensor):
                if image.dim() != 4:
                    raise DataError(f"Normalised pixels are a tensor [B, 3, H, W], not {list(image.shape)}.")
                pixels.append(image)
                paths += [None] * len(image)
            else:
                pixels.append(self.model.preprocess(image)[None])
                paths.append(Path(image) if isinstance(image, (str, Path)) else None)
        return self.classify(torch.cat(pixels), paths, top=top, explain=explain) if pixels else []

    @torch.no_grad()
    def classify(
        self, pixels: Tensor, paths: Sequence[Path | None] = (), *, top: int = 5, explain: bool = False
    ) -> list[Prediction]:
        """Predictions of normalised pixels ``[B, 3, H, W]`` in one pass; `paths`: of the images, if they are files."""
        pixels = pixels.to(self.model.device)
        with self._lock:
            features = self._classify.features(pixels)
            logits = self._classify.logits(features)[:, : len(self.names)]  # no columns of dapt.released
        best = logits.softmax(dim=1).topk(min(top, len(self.names)), dim=1)
        found = zip(best.indices.tolist(), best.values.tolist(), features, strict=True)
        maps = self._maps(pixels, best.indices[:, 0]) if explain else [None] * len(pixels)
        return [
            Prediction(
                path,
                tuple(self.names[index] for index in indices),
                tuple(values),
                feature,
                None if seen is None or seen.attention is None else seen.attention[0],
                None if seen is None else seen.cam[0],
            )
            for path, (indices, values, feature), seen in zip(paths or [None] * len(pixels), found, maps, strict=True)
        ]

    def _maps(self, pixels: Tensor, targets: Tensor) -> Iterator[Maps]:
        """Of one image after the other: the scale of Grad-CAM hangs on how many there are."""
        return (self.explain(pixels[at : at + 1], targets[at : at + 1]) for at in range(len(pixels)))

    def explain(self, pixels: Tensor, targets: Tensor) -> Maps:
        """Where the model looks.

        Args:
            pixels: ``[B, 3, H, W]`` normalised. targets: ``[B]`` the class to explain in each image.

        Raises:
            NotSupportedError: the image tower has no transformer blocks.
        """
        pixels, targets = pixels.to(self.model.device), targets.to(self.model.device)
        with self._lock:
            attention = None
            if can_show_attention(self.model.clip.image):
                attention = features_and_attention(self._classify, pixels)[1]
            return Maps(attention, grad_cam(self._classify, pixels, targets).coarse)


_locks: weakref.WeakKeyDictionary[FrozenClip, threading.RLock] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def _lock_of(clip: FrozenClip) -> threading.RLock:
    """The lock of a frozen model, which all predictors share that use it."""
    with _making:
        return _locks.setdefault(clip, threading.RLock())
