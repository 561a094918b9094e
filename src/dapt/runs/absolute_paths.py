"""The configuration of a run with absolute paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dapt.config import RunConfig
from dapt.data.hub.read_hub import absolute_hub
from dapt.data.resolve import HUB_PREFIX, is_path
from dapt.paths import with_home


def with_absolute_paths(config: RunConfig) -> RunConfig:
    """The configuration with absolute paths, so that the run folder can be used from anywhere."""

    def absolute(text: str) -> str:
        return str(Path(with_home(text)).absolute())

    changed: dict[str, Any] = {}
    if is_path(config.data):
        changed["data"] = absolute(config.data)
    elif config.data.startswith(HUB_PREFIX):
        changed["data"] = HUB_PREFIX + absolute_hub(config.data.removeprefix(HUB_PREFIX))
    for key in ("masks", "names", "root", "split_file"):
        if getattr(config, key):
            changed[key] = absolute(getattr(config, key))
    head, colon, path = config.model.partition(":")
    if colon and head != "hf-hub":
        changed["model"] = f"{head}:{absolute(path)}"
    if config.prompt.get("teacher"):
        changed["prompt"] = {**config.prompt, "teacher": absolute(config.prompt["teacher"])}
        kind, found, place = (config.prompt.get("teacher_model") or "").partition(":")
        if found and kind != "hf-hub":
            changed["prompt"]["teacher_model"] = f"{kind}:{absolute(place)}"
    return config.model_copy(update=changed)
