"""The frozen model that a caller of the library names or gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip, Preprocess
from dapt.clip.load import load_clip
from dapt.clip.wrap import wrap_model
from dapt.devices import pick_device
from dapt.environment import device_memory_mb
from dapt.errors import ConfigError
from dapt.strict import shown

Backbone = str | nn.Module | FrozenClip


def open_backbone(
    model: Backbone,
    *,
    tokenizer: Callable[..., Tensor] | None = None,
    preprocess: Preprocess | Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "32",
) -> FrozenClip:
    """Load a specification, or freeze the model given where it is.

    Args:
        tokenizer, preprocess: of an open_clip model, see `wrap_model`.
        device: where a specification is loaded; a model given stays where it is unless a device is named.
        precision: of a specification; a model given keeps its own.

    Raises:
        DaptError: it cannot be loaded or used, or what comes with it does not belong to it.
    """
    clip = _opened(model, tokenizer, preprocess, device, precision)
    memory = device_memory_mb(str(clip.device))
    clip.text.memory_mb = None if memory is None else memory / 2
    return clip


def _opened(
    model: Backbone,
    tokenizer: Callable[..., Tensor] | None,
    preprocess: Preprocess | Mapping[str, Any] | None,
    device: str,
    precision: str,
) -> FrozenClip:
    if not isinstance(model, (str, nn.Module, FrozenClip)):
        raise ConfigError(f"A model is a specification or an open_clip model, not {shown(model)}.")
    if isinstance(model, (str, FrozenClip)) and not (tokenizer is None and preprocess is None):
        raise ConfigError("This model brings its own tokenizer and preprocessing.", todo="Leave them out.")
    if isinstance(model, str):
        return load_clip(model, device=pick_device(device), precision=precision)
    if precision != "32":
        raise ConfigError("A model that is given keeps its own precision.", todo="Convert it before.")
    clip = model if isinstance(model, FrozenClip) else wrap_model(model, tokenizer=tokenizer, preprocess=preprocess)
    return clip if device == "auto" else clip.to(pick_device(device))
