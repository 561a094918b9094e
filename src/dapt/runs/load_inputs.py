"""What a run reads: its data and its backbone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dapt.clip.frozen import FrozenClip
from dapt.clip.load import load_clip
from dapt.console import say
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import epoch_batches
from dapt.devices import compute_exactly, compute_repeatably
from dapt.errors import ConfigError, DataError
from dapt.runs.apart import advice, check_files_apart
from dapt.runs.candidate_cache import CandidateCache
from dapt.runs.check import Plan
from dapt.runs.class_weights import with_class_weights
from dapt.runs.quick_look import look_at_names
from dapt.runs.run_data import RunData, describe_split, load_run_data
from dapt.runs.selecting import reselected, select_images


@dataclass(frozen=True)
class Loaded:
    """What a run is made from.

    Attributes:
        data: its images. clip: its backbone. cache: decoded training images.
    """

    data: RunData
    clip: FrozenClip
    cache: ImageCache


def load_inputs(plan: Plan) -> Loaded:
    """Read the data and the backbone.

    Raises:
        DaptError: they are missing or damaged, or the run folder lies among them.
    """
    config = plan.config
    compute_exactly()
    if config.deterministic:
        compute_repeatably()  # before the first product on the device
    cache = ImageCache(config.cache_mb if config.devices == 1 else 0)  # several processes have one each
    own = plan.folder if plan.goes_on else None
    data = load_run_data(config, cache, validation_only=plan.validation_only, images=plan.images, own=own)
    check_files_apart(plan.folder.path, data.source, config.data, todo=advice(config))
    clip = load_clip(config.model, device=plan.device, precision=config.precision)
    look_at_names(config, data.source, clip.tokenizer)
    return Loaded(data, clip, cache)


def select_inputs(plan: Plan, loaded: Loaded, known: CandidateCache | None = None) -> Loaded:
    """The same with the training images that are chosen, or that the interrupted run has chosen.

    Args:
        known: what selectors looked at in earlier runs of a group.

    Raises:
        DataError: the images have changed since the run was started.
        DaptError: see `select_images`.
    """
    config, data = plan.config, loaded.data
    earlier = plan.folder.earlier_split() if plan.goes_on else None
    if earlier is not None and "selection" in earlier:
        data = reselected(config, data, earlier)
    else:
        data = select_images(config, plan.selector, data, lambda: loaded.clip, loaded.cache, known)
    _check_split(plan, data, earlier)
    _check_count(plan, len(data.train.items))
    return replace(loaded, data=with_class_weights(config, data))


def _check_split(plan: Plan, data: RunData, earlier: Mapping[str, Any] | None) -> None:
    if earlier is not None and earlier != describe_split(data):
        raise DataError(
            f"The images of {plan.config.data} have changed since the run in {plan.folder.path} was started.",
            todo="Restore them, or pass --overwrite to start again.",
        )


def _check_count(plan: Plan, images: int) -> None:
    """Refuse images of which no device would get any; say how many are left out because devices get equally many.

    Raises:
        ConfigError: there are fewer images than devices.
    """
    config, devices = plan.config, plan.config.devices
    if not config.epochs or devices == 1:
        return
    if images < devices:
        raise ConfigError(
            f"{images} training images cannot be divided among {devices} devices.",
            todo=f"Use --devices {images} or less, or more images.",
        )
    whole = epoch_batches(images, config.batch_size, seed=0, epoch=0, drop_last=config.drop_last)
    lost = len(whole[-1]) % devices
    if lost:
        say(f"{lost} images of the last batch of every epoch are left out: devices get equally many.")
