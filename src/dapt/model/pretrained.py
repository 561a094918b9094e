"""Opening what was saved: the folder of `PromptedClip.save_pretrained`, a run folder, a prompts file alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from dapt.clip.frozen import Preprocess
from dapt.clip.wrap import OBJECT
from dapt.config import DaptOptions, make_saved_config
from dapt.config_text import read_yaml
from dapt.data.load.reading import Reading
from dapt.data.load.settings import reading_of
from dapt.errors import ConfigError, ModelError
from dapt.model.backbone import Backbone, open_backbone
from dapt.model.prompted_clip import PromptedClip
from dapt.model.prompts_file import SavedPrompts, load_prompts
from dapt.model.saved import CONFIG, find_prompts, rebuild_model
from dapt.validation import validated


def open_pretrained(
    path: Path | str,
    *,
    model: Backbone | None = None,
    tokenizer: Callable[..., Tensor] | None = None,
    preprocess: Preprocess | Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "32",
) -> PromptedClip:
    """The saved model in evaluation mode, without objectives.

    Args:
        path: a folder or a prompts file. model: its frozen model, by name or itself; None: the one that it names.
        tokenizer, preprocess, device, precision: see `open_backbone`.

    Raises:
        ConfigError: there is none, or it does not name its frozen model.
        ModelError: it is damaged, or belongs to another frozen model.
    """
    file = find_prompts(path)
    saved = load_prompts(file)
    spec = saved.backbone["spec"]
    if model is None and spec == OBJECT:
        raise ConfigError(
            f"{file} was trained with a model that has no name.",
            todo="Give that model: dapt.load_model(..., model=...).",
        )
    clip = open_backbone(
        spec if model is None else model, tokenizer=tokenizer, preprocess=preprocess, device=device, precision=precision
    )
    made = rebuild_model(saved, clip, *_made_with(file, saved))
    classes = saved.use.get("classes")
    if classes is not None:
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise ModelError(f"The class names in {file} are none.")
        made.set_classes(classes)
    return made.eval()


def _made_with(file: Path, saved: SavedPrompts) -> tuple[DaptOptions, Reading | None]:
    """What the file says of DAPT and of how images are read; of a run's file, what its configuration says."""
    if "dapt" in saved.use:
        return validated(DaptOptions, saved.use["dapt"], "dapt."), None
    path = file.parent / CONFIG
    if not path.is_file():
        return DaptOptions(), None
    config = make_saved_config(read_yaml(path))
    return config.dapt, reading_of(config)
