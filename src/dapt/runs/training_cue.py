"""The cue of a run, and what decides its masks beside the photos: so that a run never goes on with others unnoticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dapt.config import RunConfig
from dapt.console import warn
from dapt.cues.base import CUES, Cue
from dapt.cues.build import AUTO, build_cue, named_models
from dapt.data.items import Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages
from dapt.environment import cores
from dapt.runs.run_data import RunData
from dapt.wording import some

DIGITS = 16
DATASET = "dataset"  # reads the masks that the data itself has


def training_cue(config: RunConfig, data: RunData, cache: ImageCache) -> Cue | None:
    """The source of masks of a run with DAPT; of another one None, with a warning where a cue was asked for.

    Raises:
        DaptError: see `build_cue`; also without DAPT: mistakes in unused options are mistakes, too.
    """
    if config.dapt.enabled:
        cue = build_cue(config, cache, data.source)
        if config.masks and not reads_folder(cue):
            warn(
                f"The cue {cue.name} does not read the folder of --masks: DAPT trains with other masks, and those "
                "serve the attention figure at most. Leave --cue out to train with them, or --masks."
            )
        return cue
    if config.cue.source != AUTO or config.masks:
        build_cue(config, cache, data.source)
        warn("Foreground cues are only used with --dapt; without it the masks serve the attention figure at most.")
    return None


def reads_folder(cue: Cue) -> bool:
    """Whether the masks of a cue, or of one that it asks first, are those of the folder of ``--masks``."""
    names = (cue.name, getattr(cue.context.options, "prompt", None))
    return any(name in CUES.names() and CUES.get(name).reads_files and name != DATASET for name in names)


def tell_of_no_lender(masks: Sequence[Tensor | None]) -> None:
    """Warn where no image has another one whose background it can be shown on."""
    if sum(mask is not None for mask in masks) == 1:
        warn(
            "One training image alone has a mask of use, so no other lends it a background: dapt.fill=exchange shows "
            "its object on the mean colour."
        )


def model_files(config: RunConfig) -> dict[str, Path]:
    """The files that the cue of a run computes with, by the setting that names them (and the name within a folder)."""
    found: dict[str, Path] = {}
    for key, place in named_models(config).items():
        inside = sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else [place]
        for path in inside:
            if not path.name.startswith("."):
                found[key if path == place else f"{key}/{path.name}"] = path
    return {name: path for name, path in found.items() if path.is_file()}


def told_of_masks(config: RunConfig, cue: Cue, items: Sequence[Item]) -> dict[str, str]:
    """Checksums, by image, of what a store says of masks that are files, as far as it decides the result.

    These are scores (``dapt.trust=score``) and names of backgrounds (``dapt.background_label=cue``).
    """
    by_score, by_stuff = config.dapt.trust == "score", config.dapt.background_label == "cue"
    if not (by_score or by_stuff):
        return {}
    found: dict[str, str] = {}
    for name, (score, stuff) in cue.told(items).items():
        used = [score if by_score else None, list(stuff) if by_stuff else []]
        if used != [None, []]:
            found[name] = hashlib.sha256(json.dumps(used).encode()).hexdigest()[:DIGITS]
    return found


def mask_digests(images: TrainImages) -> dict[str, str]:
    """Checksums, by image, of the masks that a run starts with, and of what each counts and is taken to show."""
    count = len(images.items)
    trust = [None] * count if images.trust is None else images.trust.tolist()
    background = [None] * count if images.background is None else images.background.tolist()
    with ThreadPoolExecutor(cores()) as pool:
        digests = list(pool.map(_digest_of, images.masks, trust, background))
    return {item.name: digest for item, digest in zip(images.items, digests, strict=True)}


def _digest_of(mask: Tensor | None, trust: float | None, background: int | None) -> str:
    """Empty for an image without a mask."""
    if mask is None:
        return ""
    plain = mask.detach().cpu().contiguous()
    digest = hashlib.sha256(f"{plain.dtype} {tuple(plain.shape)} {trust!r} {background!r}".encode())
    digest.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:DIGITS]


def tell_of_changed_masks(before: Mapping[str, Any], images: TrainImages) -> None:
    """Say which masks are made otherwise than when a run was started, although nothing that it reads has changed.

    Other processors and versions of libraries round otherwise, so this is no reason to stop.

    Args:
        before: of `mask_digests`, when the run was started.
    """
    now = mask_digests(images)
    other = [name for name in now if name in before and before[name] != now[name]]
    if other:
        warn(
            f"{len(other)} of {len(now)} masks are not those that the run was started with: {some(other)}. It goes on "
            "with what is made now, so its result is not that of an uninterrupted run."
        )
