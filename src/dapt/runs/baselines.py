"""What a run is worth: the accuracy that its images give without training, found on the images it is judged by.

Zero-shot CLIP knows the class names alone. A closed form of the training images' features, one look at each, is a
strong baseline: Gaussian discriminant analysis (Wang et al. 2024), or Tip-Adapter's cache (Zhang et al. 2022) where no
class has two images, of which a covariance could be made.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from dapt.clip.frozen import FrozenClip
from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.dapt_options import DaptOptions
from dapt.data.labelled import LabelledImages
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages
from dapt.data.load.settings import reading_of
from dapt.data.load.transforms import train_transform
from dapt.errors import DaptError
from dapt.evaluation.evaluate import Encoded, classify_images, encode_images
from dapt.methods.base import METHODS
from dapt.model.build import assemble
from dapt.model.classifier import Classifier
from dapt.model.prompted_clip import PromptedClip
from dapt.results import Figures
from dapt.runs.features import training_set
from dapt.runs.kept_features import bank_of
from dapt.runs.run_data import RunData
from dapt.validation import validated

ZERO_SHOT = "zero_shot"


@dataclass(frozen=True)
class Baselines:
    """What other methods reach on the test images of a run.

    Attributes:
        figures: by method, ``test/accuracy`` and, with held-back classes, ``test/accuracy_novel``, in percent.
        seconds: that took.
    """

    figures: dict[str, Figures] = field(default_factory=dict)
    seconds: float = 0.0


def closed_form_for(labels: Counter[int]) -> tuple[str, dict[str, Any]]:
    """The method that needs no training step for such training images, and its options.

    Args:
        labels: number of training images by class.
    """
    if max(labels.values(), default=0) > 1:
        return "gda", {"views": 0}
    return "tip_adapter", {"views": 0}


def find_baselines(config: RunConfig, data: RunData, clip: FrozenClip) -> Baselines:
    """Zero-shot CLIP and the closed form, on the test images of a run.

    The run's own method is left out, and whatever needs labels where the method learns without. Images that show
    several classes have no accuracy, so there are no baselines. One that cannot be found (no covariance, figures
    that are not finite) is left out with a warning.
    """
    if data.source.multi_label or not data.test.items:
        return Baselines()
    wanted: dict[str, dict[str, Any]] = {ZERO_SHOT: {}}
    if not (config.recipe.label_free or config.transductive):
        method, options = closed_form_for(Counter(data.train.labels))
        wanted[method] = options
    wanted.pop(config.method, None)
    if not wanted:
        return Baselines()
    began = time.perf_counter()
    say(f"beside it, without training, on the same images: {', '.join(METHODS.get(name).title for name in wanted)}")
    figures: dict[str, Figures] = {}
    seen: dict[str, Encoded] = {}
    for method, options in wanted.items():
        try:
            figures[method] = _figures(config, data, _made(config, data, clip, method, options), seen)
        except DaptError as error:  # the run is done, whatever happens here
            warn(f"{METHODS.get(method).title} is left out: {error.what}")
    return Baselines(figures, time.perf_counter() - began)


def _figures(config: RunConfig, data: RunData, model: PromptedClip, seen: dict[str, Encoded]) -> Figures:
    found: Figures = {"test/accuracy": _accuracy(config, model, data.test, seen, "test")}
    if data.novel is not None and not model.prompts.fixed_classes:
        found["test/accuracy_novel"] = _accuracy(config, model, data.novel, seen, "novel")
    return found


def _made(config: RunConfig, data: RunData, clip: FrozenClip, method: str, given: Mapping[str, Any]) -> PromptedClip:
    """The finished model of a method without training."""
    recipe = METHODS.get(method)
    options = validated(recipe.options, {**recipe.preset, **given}, "prompt.")
    plain = DaptOptions()
    model = assemble(clip, recipe, options, data.train.names, plain, seed=config.seed, reading=reading_of(config))
    images = TrainImages(
        data.train.items,
        data.train.labels,
        train_transform(clip.image.image_size, clip.preprocess, crop_scale=config.crop_scale, flip=config.flip),
        ImageCache(0),
        config.seed,
    )
    model.prompts.prepare(training_set(config, model, data, images, bank_of(config, clip)))
    return model.eval()


def _accuracy(
    config: RunConfig, model: PromptedClip, part: LabelledImages, seen: dict[str, Encoded], name: str
) -> float | None:
    """Accuracy of a model whose image tower is the untouched one; images are encoded once for all of them."""
    model.set_classes(part.names)
    classify = Classifier(model)
    size = config.eval_batch_size
    with torch.no_grad():
        if name not in seen:
            seen[name] = encode_images(classify, part.items, batch_size=size, workers=config.workers, label="baselines")
        found = classify_images(classify, seen[name], part.labels, batch_size=size, label="baselines")
    return found.metrics("test")["test/accuracy"]
