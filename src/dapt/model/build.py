"""Building the model of a run from its configuration."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dapt.clip.frozen import FrozenClip
from dapt.config import DaptOptions, RunConfig
from dapt.data.load.reading import Reading
from dapt.data.load.settings import reading_of
from dapt.environment import device_memory_mb
from dapt.errors import ConfigError
from dapt.methods.base import Method, MethodOptions
from dapt.model.made_with import MadeWith
from dapt.model.prompted_clip import PromptedClip, make_prompted
from dapt.model.saved import open_model
from dapt.prompts.base import PromptArchitecture


def build_model(config: RunConfig, clip: FrozenClip, names: Sequence[str]) -> PromptedClip:
    """The prompted model at its starting point, the same for every process with the same seed.

    Raises:
        DaptError: options of the method that it does not have, or that do not fit the backbone.
    """
    model = assemble(
        clip, config.recipe, config.options, names, config.dapt, seed=config.seed, reading=reading_of(config)
    )
    clip.set_checkpointing(config.grad_checkpointing)
    clip.text.memory_mb = text_memory_mb(config, str(clip.device))
    return model


def assemble(
    clip: FrozenClip,
    method: Method,
    options: MethodOptions,
    names: Sequence[str],
    dapt: DaptOptions,
    *,
    seed: int,
    reading: Reading | None = None,
) -> PromptedClip:
    """A frozen model with the prompts of a method at their start.

    Args:
        options: of the method. names: classes. dapt: DAPT's texts and views belong to the model. seed: of the prompts.
        reading: how images are read, see `dapt.data.load.reading`.
    """
    generator = torch.Generator().manual_seed(seed)
    architecture = method.load_architecture().create(options, clip, names, generator, open_model)
    architecture.to(clip.device)
    if dapt.enabled:
        _check_background(clip, architecture, dapt.texts)
    return make_prompted(clip, architecture, names, MadeWith(method.name, dapt, reading or Reading()))


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
