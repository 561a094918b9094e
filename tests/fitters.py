"""Trainings of a few steps that can be stopped after any epoch, without a run folder."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from dapt.config import make_config
from dapt.cues.base import CUES, CueContext
from dapt.cues.build import cue_options
from dapt.cues.guards import Guarded, guard
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages, targets_of
from dapt.data.load.transforms import train_transform
from dapt.data.resolve import load_data
from dapt.model.build import build_model
from dapt.objectives.build import build_objectives
from dapt.runs.kept_features import kept_views
from dapt.training.feature_bank import FeatureBank
from dapt.training.fit import Fitter, State
from dapt.training.step import TrainStep
from helpers import tiny_clip

NAMES = ["red square", "blue disc", "green bar", "white ring"]
TIMES = ("seconds", "images_per_second", "peak_memory_mb")


class Stop(Exception):  # noqa: N818 - nothing went wrong
    """The training was stopped after an epoch."""


def make_fitter(
    folder: Path,
    *,
    accuracies: Sequence[float] | None = None,
    stop: int | None = None,
    kept: list[State] | None = None,
    kind: type[TrainImages] = TrainImages,
    background: Tensor | None = None,
    bank: Path | None = None,
    **changes: Any,
) -> Fitter:
    """A training of the tiny model on a folder of pictures, from its start.

    Args:
        accuracies: what validation says after each epoch; None: there is no validation.
        stop: raise `Stop` after so many epochs. kept: takes a copy of the state after every epoch.
        kind: of the training images. background: numbers of their background texts. changes: of the configuration.
        bank: folder in which features are kept, as far as `features` says so.
    """
    given = {"data": "-", "method": "maple", "prompt": {"depth": 2}, "epochs": 5, "batch_size": 4, "lr": 0.05}
    config = make_config({**given, **changes})
    items = load_data(str(folder)).split("train")
    clip = tiny_clip()
    transform = train_transform(clip.image.image_size, clip.preprocess, crop_scale=config.crop_scale, flip=config.flip)
    model = build_model(config, clip, NAMES)
    step = TrainStep(model, build_objectives(config, model))
    cue = None
    guarded = Guarded([None] * len(items))
    if config.dapt.enabled:
        source = "gradcam" if config.cue.source == "auto" else config.cue.source
        options = cue_options(source, config.cue.options)
        cue = CUES.get(source)(CueContext(options, None, "binary", False, ImageCache(8), config.seed))
        guarded = guard(cue, items, cue.prepare(items, model), config.dapt)
    images = kind(
        items,
        [item.label for item in items],
        transform,
        ImageCache(8),
        config.seed,
        masks=guarded.masks,
        soft=cue is not None and cue.soft,
        targets=targets_of(items, len(NAMES)),
        trust=guarded.trust,
        background=background,
    )
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    fitter = Fitter(
        config,
        step,
        images,
        cue,
        fabric,
        kept=None if bank is None else kept_views(config, model, FeatureBank(bank, {})),
        validate=None if accuracies is None else (lambda: accuracies[fitter.progress.epoch]),
        after_epoch=lambda state, progress: _after(state, stop, kept),
    )
    return fitter


def _after(state: State, stop: int | None, kept: list[State] | None) -> None:
    if kept is not None:
        kept.append(as_read(state))
    if state["epoch"] == stop:
        raise Stop


def as_read(state: State) -> State:
    """A state as it comes back from a file that may hold tensors and plain values only."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, map_location="cpu", weights_only=True)


def stopped(make: Callable[..., Fitter], stop: int, before: Callable[[Fitter], None] | None = None) -> State:
    """The state that a training leaves behind which is stopped after so many epochs."""
    kept: list[State] = []
    fitter = make(stop=stop, kept=kept)
    if before is not None:
        before(fitter)
    try:
        fitter.fit()
    except Stop:
        return kept[-1]
    raise AssertionError("the training was not stopped")


def resumed(make: Callable[..., Fitter], state: State) -> Fitter:
    """A new training that goes on from a state and has come to its end."""
    fitter = make()
    fitter.load_state(as_read(state))
    fitter.fit()
    return fitter


def prompts_of(fitter: Fitter) -> dict[str, Tensor]:
    """A copy of the parameters."""
    return {name: value.detach().clone() for name, value in fitter.step.model.prompts.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Equal to the bit."""
    return list(a) == list(b) and all(torch.equal(a[name], b[name]) for name in a)


def figures(fitter: Fitter) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without times and memory."""
    return [{key: value for key, value in line.items() if key not in TIMES} for line in fitter.progress.lines]
