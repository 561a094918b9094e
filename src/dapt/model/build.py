"""Building the model of a run from its configuration."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dapt.clip.frozen import FrozenClip
from dapt.config import RunConfig
from dapt.environment import device_memory_mb
from dapt.errors import ConfigError
from dapt.model.prompted_clip import PromptedClip
from dapt.model.saved import open_model
from dapt.prompts.base import PromptArchitecture


def build_model(config: RunConfig, clip: FrozenClip, names: Sequence[str]) -> PromptedClip:
    """The prompted model at its starting point, the same for every process with the same seed.

    Raises:
        DaptError: options of the method that it does not have, or that do not fit the backbone.
    """
    generator = torch.Generator().manual_seed(config.seed)
    architecture = config.recipe.load_architecture().create(config.options, clip, names, generator, open_model)
    clip.set_checkpointing(config.grad_checkpointing)
    clip.text.memory_mb = text_memory_mb(config, str(clip.device))
    architecture.to(clip.device)
    dapt = config.dapt
    if not dapt.enabled:
        return PromptedClip(clip, architecture, names)
    background = dapt.texts
    _check_background(clip, architecture, background)
    return PromptedClip(
        clip, architecture, names, background, views=dapt.views, fill=dapt.fill, distractors=dapt.distractors
    )


def text_memory_mb(config: RunConfig, device: str) -> float | None:
    """What the text tower may keep for backward: as configured, else half of what each process has."""
    if config.text_memory_mb is not None:
        return config.text_memory_mb
    memory = device_memory_mb(device)
    sharing = 1 if device.startswith("cuda") else config.devices
    return None if memory is None else memory / 2 / sharing


def _check_background(clip: FrozenClip, architecture: PromptArchitecture, texts: Sequence[str]) -> None:
    """Deep text prompts are written over the first words of the background texts: these must be long enough."""
    deep = architecture.at_rest().text_deep
    if not deep:
        return
    count = deep[0].shape[0]
    tokens = clip.tokenizer.plain(texts)
    shortest = int(tokens.eot.min()) - tokens.offset
    if shortest < count:
        raise ConfigError(
            f"The background text '{texts[int(tokens.eot.argmin())]}' has {shortest} tokens, and the {count} deep text "
            "prompts would overwrite its end.",
            todo="Use a longer dapt.template, or fewer prompts (--n-ctx).",
        )
