"""The configuration of a run with absolute paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dapt.config import RunConfig
from dapt.cues.build import with_absolute_models
from dapt.data.hub.read_hub import absolute_hub
from dapt.data.resolve import HUB_PREFIX, is_path
from dapt.paths import with_home
from dapt.strict import Names


def with_absolute_paths(config: RunConfig) -> RunConfig:
    """The configuration with absolute paths, so that the run folder can be used from anywhere."""
    changed: dict[str, Any] = {}
    if is_path(config.data):
        changed["data"] = _absolute(config.data)
    elif config.data.startswith(HUB_PREFIX):
        changed["data"] = HUB_PREFIX + absolute_hub(config.data.removeprefix(HUB_PREFIX))
    for key in ("masks", "names", "root", "split_file", "keep_split"):
        if getattr(config, key):
            changed[key] = _absolute(getattr(config, key))
    if config.class_weights not in ("none", "auto"):
        changed["class_weights"] = _absolute(config.class_weights)
    changed["plugins"] = list(dict.fromkeys(_absolute(file) for file in config.plugins))
    changed["model"] = _absolute_spec(config.model)
    options = config.recipe.options
    for kind, make in ((Names.SAVED_MODEL, _absolute), (Names.BACKBONE, _absolute_spec)):
        given = {key: make(config.prompt[key]) for key in options.naming(kind) if config.prompt[key]}
        changed["prompt"] = {**config.prompt, **changed.get("prompt", {}), **given}
    return with_absolute_models(config.model_copy(update=changed), _absolute)


def _absolute(text: str) -> str:
    return str(Path(with_home(text)).absolute())


def _absolute_spec(text: str) -> str:
    kind, colon, path = text.partition(":")
    return f"{kind}:{_absolute(path)}" if colon and kind != "hf-hub" else text
