"""Data-efficient training: a selector chooses part of the training images before a run starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.config import RunConfig, make_config
from dapt.console import say, warn
from dapt.data.labelled import LabelledImages
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages, targets_of
from dapt.data.load.transforms import train_transform
from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.evaluation.evaluate import encode_images, evaluate
from dapt.model.build import build_model
from dapt.model.classifier import Classifier
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.build import build_objectives
from dapt.prompts.base import PromptArchitecture
from dapt.runs.candidate_cache import CandidateCache
from dapt.runs.features import training_set
from dapt.runs.run_data import RunData
from dapt.selection.base import SELECTORS, Candidates, Selection, Selector
from dapt.selection.forgetting import count_forgotten
from dapt.training.fit import Fitter
from dapt.training.step import TrainStep
from dapt.validation import validated

FORGETTING_EPOCHS = 5  # of the training in which forgotten images are counted, unless said otherwise


def check_selection(config: RunConfig) -> Selector | None:
    """The selector of a run, with its options, or None.

    Raises:
        ConfigError: no such selector or option, a fraction without a selector, or a training that cannot take place.
    """
    if config.select is None:
        if config.fraction < 1:
            raise ConfigError(
                f"A fraction of {config.fraction:g} of the training images was asked for, but not how to choose them.",
                todo=f"Pass --select with one of: {', '.join(SELECTORS.names())}.",
            )
        return None
    kind = SELECTORS.get(config.select)
    options = validated(kind.options_type, config.selection.options, "selection.options.")
    selector = kind(options, legacy=config.selection.legacy)
    if config.fraction == 1:
        warn("All training images are chosen: --fraction says how many to take.")
    trains = config.recipe.trains
    if pretraining_epochs(config, selector) and not trains:
        raise ConfigError(
            f"The selection trains {config.method} beforehand, and {config.method} has no training steps.",
            todo="Use another --select than forgetting, without selection.epochs, or another method.",
        )
    if selector.needs_training and not pretraining_epochs(config, selector):
        raise ConfigError(
            f"{config.select} counts what is lost in training, so selection.epochs cannot be 0.",
            todo="Leave it out, or give a number of epochs.",
        )
    return selector


def pretraining_epochs(config: RunConfig, selector: Selector) -> int:
    """Epochs of the training that comes before the selection and is thrown away."""
    if config.selection.epochs is not None:
        return config.selection.epochs
    return FORGETTING_EPOCHS if selector.needs_training else 0


def select_images(
    config: RunConfig,
    selector: Selector | None,
    data: RunData,
    load: Callable[[], FrozenClip],
    cache: ImageCache,
    known: CandidateCache | None = None,
) -> RunData:
    """The run's data with the selected training images only.

    The images are seen by the untrained model of the run under the test transform, as in the released code; by the
    zero-shot model where the method has no classifier before it is trained (see `_classifies_untrained`).

    Args:
        selector: see `check_selection`. load: gives the backbone, and is called only if the selector looks at images.
        known: what earlier runs of a group have looked at.

    Raises:
        DaptError: no validation images where the selector reads them.
    """
    if selector is None:
        return data
    if selector.looks and data.source.multi_label:
        raise NotSupportedError(
            f"{config.select} reads one class per image, and images of {data.source.name} show several.",
            todo="Use --select uniform.",
        )
    if selector.looks:
        _check_val(config, data, selector)
        detail = (selector.needs_val, pretraining_epochs(config, selector))
        candidates = (known or CandidateCache()).get(
            config, data, detail, lambda: see_candidates(config, data, load(), cache, selector)
        )
    else:
        labels, nothing = torch.tensor(data.train.labels, dtype=torch.long), torch.empty(len(data.train.labels), 0)
        candidates = Candidates(labels, nothing, nothing, torch.empty(0, 0), seed=config.seed)
    found = selector.select(candidates, config.fraction, balanced=config.selection.balanced)
    method = config.recipe
    weighted = any(kind.weighted for kind in method.load_objectives())
    if found.weights is not None and not (method.trains and weighted):
        warn(f"{config.select} weighs the chosen images, and {config.method} has no loss that would read the weights.")
    return narrowed(config, data, found)


def see_candidates(
    config: RunConfig, data: RunData, clip: FrozenClip, cache: ImageCache, selector: Selector
) -> Candidates:
    """What the selector looks at: features, logits and labels of the training (and validation) images."""
    model = build_model(_plain(config), clip, data.train.names)
    forgotten = None
    epochs = pretraining_epochs(config, selector)
    if epochs:
        forgotten = _train_beforehand(config, data, model, cache, epochs)
    elif not _classifies_untrained(model.prompts):
        say(f"{config.method} has no classifier before it is trained: the zero-shot model looks at the images instead.")
        model = build_model(_zero_shot(config), clip, data.train.names)
    found = _candidates(model, data.train, config, "images to choose from")
    val = _candidates(model, data.val, config, "validation images") if selector.needs_val else None
    return replace(found, val=val, forgotten=forgotten)


def narrowed(config: RunConfig, data: RunData, found: Selection) -> RunData:
    """The data with the training images of a selection, in the order in which they were chosen."""
    part = data.train
    train = LabelledImages(
        tuple(part.items[i] for i in found.index), tuple(part.labels[i] for i in found.index), part.names
    )
    weights = None
    if found.weights is not None:
        mean = sum(found.weights) / len(found.weights)
        weights = tuple(weight / mean for weight in found.weights)
    lost = len(set(part.labels) - set(train.labels))
    say(f"selection: {config.select} chose {len(train.items)} of {len(part.items)} training images")
    if lost:
        warn(f"{lost} of {len(part.names)} classes have no image left: the fraction is too small for them.")
    chosen: dict[str, object] = {
        "method": config.select,
        "fraction": config.fraction,
        "balanced": config.selection.balanced,
        "legacy": config.selection.legacy,
        "options": config.selection.options,
        "epochs": config.selection.epochs,
        "lr": config.selection.lr,
        "candidates": len(part.items),
    }
    counts = {**data.counts, "train": len(train.items), "train_candidates": len(part.items)}
    return replace(data, train=train, weights=weights, chosen=chosen, counts=counts)


def reselected(config: RunConfig, data: RunData, earlier: Mapping[str, Any]) -> RunData:
    """The data with the selection that an interrupted run wrote into its split.json.

    Raises:
        DataError: a chosen image is not there any more.
    """
    position = {item.name: number for number, item in enumerate(data.train.items)}
    names = [str(row[0]) for row in earlier["train"]]
    gone = [name for name in names if name not in position]
    if gone:
        raise DataError(
            f"{len(gone)} selected images are not in {config.data} any more, the first: {gone[0]}.",
            todo="Restore them, or pass --overwrite to start again.",
        )
    found = narrowed(config, data, Selection(tuple(position[name] for name in names)))
    weights = earlier.get("weights")
    return replace(found, weights=None if weights is None else tuple(weights))


def _check_val(config: RunConfig, data: RunData, selector: Selector) -> None:
    if selector.needs_val and not data.val.items:
        raise DataError(
            f"{config.select} chooses by the validation images, and there are none.",
            todo="Use data with a val split, or another --select.",
        )


def _plain(config: RunConfig) -> RunConfig:
    return config.model_copy(update={"dapt": config.dapt.model_copy(update={"enabled": False})})


def _zero_shot(config: RunConfig) -> RunConfig:
    own = {key: config.prompt[key] for key in ("templates",) if config.prompt.get(key)}
    return make_config({"data": config.data, "method": "zero_shot", "seed": config.seed, "prompt": own})


def _classifies_untrained(prompts: PromptArchitecture) -> bool:
    """Whether image and class features mean something before training: no cache, no student, one set of texts."""
    return not (prompts.looks_first or prompts.trains_logits or prompts.conditional or not prompts.unit_features)


@torch.no_grad()
def _candidates(model: PromptedClip, part: LabelledImages, config: RunConfig, label: str) -> Candidates:
    classify = Classifier(model)
    size = config.eval_batch_size
    features = encode_images(classify, part.items, batch_size=size, workers=config.workers, label=label).features
    logits = [classify.logits(chunk.to(model.clip.device)).float().cpu() for chunk in torch.split(features, size)]
    texts = model.text_features(model.prompts().detached()).float().cpu()
    labels = torch.tensor(part.labels, dtype=torch.long)
    return Candidates(labels, features.float(), torch.cat(logits), texts, seed=config.seed)


def _train_beforehand(config: RunConfig, data: RunData, model: PromptedClip, cache: ImageCache, epochs: int) -> Tensor:
    """Train `model` for a few epochs; how often each image turned from right to wrong, ``[N]``.

    Images are judged under the test transform before the first and after every epoch, so that the counts do not
    depend on the random crops (the released code counts training views).
    """
    from lightning_fabric import Fabric

    changes = {"epochs": epochs, "lr": config.selection.lr, "model_selection": "last", "devices": 1}
    short = _plain(config).model_copy(update={**changes, "stop_margin": None})
    clip = model.clip
    part = data.train
    transform = train_transform(clip.image.image_size, clip.preprocess, crop_scale=config.crop_scale, flip=config.flip)
    targets = targets_of(part.items, len(part.names))
    images = TrainImages(part.items, part.labels, transform, cache, config.seed, targets=targets)
    model.prompts.prepare(training_set(short, model, data, images))
    correct: list[Tensor] = []

    def judge() -> None:
        found = evaluate(
            model,
            part.items,
            part.labels,
            batch_size=config.eval_batch_size,
            workers=config.workers,
            label="judging images",
        )
        correct.append(found.predicted == found.labels)

    say(f"training {epochs} epochs before the selection")
    judge()
    device = clip.device
    fabric = Fabric(accelerator=device.type, devices=1 if device.index is None else [device.index], precision="32-true")
    step = TrainStep(model, build_objectives(short, model))
    try:
        Fitter(short, step, images, None, fabric, validate=judge).fit()
    finally:
        images.close()
    return count_forgotten(torch.stack(correct))
