"""A run that is ready to start: prompts, objectives and the first masks."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from dapt.clip.frozen import FrozenClip
from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.cues.base import Cue
from dapt.cues.build import build_cue
from dapt.cues.file_cue import FileCue
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages
from dapt.data.load.pixels import use_setting
from dapt.data.load.transforms import train_transform
from dapt.errors import DataError
from dapt.model.build import build_model
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.build import build_objectives, check_dapt
from dapt.runs.features import training_set
from dapt.runs.run_data import RunData
from dapt.training.step import TrainStep


@dataclass
class Prepared:
    """A run that is ready to start: the first masks are read or computed."""

    step: TrainStep
    images: TrainImages
    cue: Cue | None

    @property
    def model(self) -> PromptedClip:
        """The prompted model."""
        return self.step.model


def prepare(config: RunConfig, data: RunData, clip: FrozenClip, cache: ImageCache | None = None) -> Prepared:
    """Build prompts and objectives, prepare the foreground cues.

    Args:
        clip: the frozen backbone. cache: decoded training images; None: a new one.

    Raises:
        DaptError: anything that does not fit together.
    """
    check_dapt(config)
    use_setting(config.max_pixels)  # in each of several processes
    if config.deterministic:
        torch.use_deterministic_algorithms(True)
    model = build_model(config, clip, data.train.names)
    cache = cache or ImageCache(config.cache_mb)
    transform = train_transform(clip.image.image_size, clip.preprocess, crop_scale=config.crop_scale, flip=config.flip)
    images = TrainImages(data.train.items, data.train.labels, transform, cache, config.seed)
    if data.weights is not None:
        images.weights = torch.tensor(data.weights)
    model.prompts.prepare(training_set(config, model, data, images))
    step = TrainStep(model, build_objectives(config, model))
    say(_headline(config, model))
    if config.epochs and model.prompts.count() and (config.warmup_epochs or 0) >= config.epochs:
        warn(
            f"Every epoch of this run is warm-up, at the rate {config.warmup_lr:g}: hardly anything is learned. Pass "
            "more --epochs, or --set warmup_epochs=0."
        )
    cue = build_cue(config, cache, data.source) if config.dapt.enabled else None
    if cue is not None:
        images.masks = cue.prepare(images.items, model)
        images.soft = config.cue.soft
        say(cue.report.summary())
        _check_cues(config, cue, own=any(item.mask is not None for item in images.items))
    elif config.cue.source != "auto" or config.masks:
        build_cue(config, cache, data.source)  # mistakes in unused options are mistakes, too
        warn("Foreground cues are only used with --dapt; without it the masks serve the attention figure at most.")
    return Prepared(step, images, cue)


def _check_cues(config: RunConfig, cue: Cue, *, own: bool) -> None:
    """Refuse a DAPT run in which no image has a usable cue, unless that was asked for.

    Args:
        own: the data set names masks of its own.

    Raises:
        DataError: all masks are missing, empty, full or unreadable, or mask files are read in the wrong format.
    """
    report = cue.report
    if isinstance(cue, FileCue):
        cue.check_convention()
    if report.without < report.total or config.cue.source == "none":
        return
    if len(report.missing) == report.total:
        folder = config.masks if cue.name == "masks" else None
        found = "Masks are found by the image's relative path with any image extension"
        more, todo = "", f"{found}; see --masks, or use --cue gradcam."
        if folder and own:
            more = "The data set names masks of its own, which are not looked at where --masks is given."
            todo = f"Leave --masks out, or pass --cue dataset, to use its own. {found}."
        raise DataError(
            "None of the images has a mask.",
            where=folder or "the data set's own masks",
            more=[more] if more else [],
            todo=todo,
        )
    raise DataError(
        f"None of the images has a usable foreground cue: {len(report.empty)} masks empty, {len(report.full)} full, "
        f"{len(report.bad)} unreadable.",
        todo="Look at the masks, or use --cue gradcam.",
    )


def _headline(config: RunConfig, model: PromptedClip) -> str:
    count = model.prompts.count()
    dapt = f" + DAPT ({config.dapt.variant})" if config.dapt.enabled else ""
    return (
        f"{config.method}{dapt} on {config.model}: {count:,} trainable parameters, {len(model.names)} classes, "
        f"{config.epochs} epochs, batch {config.batch_size}, lr {config.lr}, {model.clip.device}"
    )
