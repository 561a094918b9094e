"""Features of frozen image towers in the user's cache, so that later runs read what one has computed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from dapt.clip.frozen import FrozenClip
from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.data.items import Item
from dapt.data.load.draft import drafting
from dapt.data.load.images import reading_mark
from dapt.data.load.reading import changed_reading
from dapt.environment import cores
from dapt.errors import ConfigError
from dapt.model.prompted_clip import PromptedClip
from dapt.paths import kept_folder
from dapt.runs.identity import hash_file, weights_digest
from dapt.training.feature_bank import FeatureBank
from dapt.training.kept_views import KeptViews

VARIABLE = "DAPT_FEATURES"
MEGABYTE = 10**6
SEEN_WITH_MASKS = 3  # views of an image: whole, foreground, background


def features_folder() -> Path | None:
    """Where features are kept: ``$DAPT_FEATURES``, else ``dapt/features`` in the user's cache; None: there is none."""
    return kept_folder(VARIABLE, "features")


def bank_of(config: RunConfig, clip: FrozenClip) -> FeatureBank | None:
    """The bank of a run, None where it wants none or there is no place for it, which is said."""
    if config.features == "off":
        return None
    folder = features_folder()
    if folder is None:
        warn(f"Features are not kept: there is no home folder (name one with {VARIABLE}).")
        return None
    return FeatureBank(folder, computed_by(clip, config.precision))


def computed_by(clip: FrozenClip, precision: str) -> dict[str, Any]:
    """What decides the features of an image beside its pixels: the backbone, how it computes, how images are read."""
    choice = clip.multiplied_by
    return {
        "backbone": weights_digest(clip),
        "model": clip.spec,
        "precision": precision,
        "device": clip.device.type,
        "torch": torch.__version__,
        **({} if choice is None or choice.onednn else {"linear": choice.library}),  # files of before are oneDNN's
        **changed_reading(),
        **({"draft": True} if drafting() else {}),
    }


def drawn_by(config: RunConfig) -> dict[str, Any]:
    """What decides the crops of random views beside their number, and masks where crops depend on them."""
    return {"seed": config.seed, "crop_scale": list(config.crop_scale), "flip": config.flip}


def content_of(items: Sequence[Item]) -> list[str]:
    """A digest of the content of each image, and of how it is read.

    Raises:
        DataError: one cannot be read.
    """
    with ThreadPoolExecutor(cores()) as pool:
        hashed = list(pool.map(hash_file, (item.path for item in items)))
        marks = list(pool.map(reading_mark, (item.path for item in items)))
    return [digest + mark for digest, mark in zip(hashed, marks, strict=True)]


def kept_views(config: RunConfig, model: PromptedClip, bank: FeatureBank | None) -> KeptViews | None:
    """Where the random views of the training images are kept; None where they are not.

    Raises:
        ConfigError: that was asked for, and the method trains within the image tower.
    """
    if bank is None:
        return None
    if model.prompts.trains_visual and model.prompts.saved_views is None:
        reason = f"{config.method} trains within the image tower, so that its features change in every step"
        if config.features == "on":
            raise ConfigError(f"{reason}.", where="features", todo="Leave it out, or take features=auto.")
        say(f"features: none are kept, as {reason}")
        return None
    dapt = config.dapt
    transform = {
        **drawn_by(config),
        "both": dapt.enabled and dapt.crops == "both",
        "views": dapt.views if dapt.enabled else "pixels",
    }
    each = SEEN_WITH_MASKS if dapt.enabled else 1
    return KeptViews(bank, content_of, transform, model.making, each, most_bytes(config))


def most_bytes(config: RunConfig) -> int:
    """What the features that a run keeps may take together."""
    return config.features_mb * MEGABYTE
