"""Which masks an audit goes by: files, or the guesses of a cue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.colour import BLACK
from dapt.config import make_config
from dapt.cues.base import Cue, CueContext
from dapt.cues.build import AUTO, cue_options, cue_type, make_cue
from dapt.data.items import ImageSet, Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.images import image_size
from dapt.data.masks.mask_files import check_format, mask_folder
from dapt.errors import ConfigError, DataError
from dapt.model.build import build_model
from dapt.model.prompted_clip import PromptedClip
from dapt.runs.audit_images import Question
from dapt.runs.guessed_by import guessed_by


def audit_cue(question: Question, data: ImageSet) -> Cue:
    """The source of the masks.

    Raises:
        DataError: the data has none and none were named. ConfigError: there is no such cue, option or folder.
    """
    source = question.cue
    if source == AUTO:
        if question.masks is None and not data.has_masks:
            raise DataError(
                f"{data.name} has no masks, and an audit has to know where the object is in each image.",
                todo="Name mask files with --masks DIR, or let a cue guess them, for example --cue border.",
            )
        source = "masks" if question.masks is not None else "dataset"
    kind = cue_type(source)
    if question.masks is not None and (source == "dataset" or not kind.reads_files):
        raise ConfigError(
            f"The cue {source} does not read the folder of --masks.", todo="Leave --cue out, or leave --masks out."
        )
    options = cue_options(source, question.options)
    cache = ImageCache(0)

    def shape_only(item: Item) -> Tensor:  # of photographs with mask files only the size is asked
        return torch.empty(1, 1, 1, dtype=torch.uint8).expand(3, *image_size(item.path))

    return make_cue(
        source,
        CueContext(
            options,
            mask_folder(question.masks),
            check_format(question.mask_format or "binary"),
            question.skip_bad,
            shape_only if kind.reads_files else cache,
            question.seed,
            data,
            mask_name=question.mask_name,
            mask_background=question.mask_background or BLACK,
        ),
    )


def zero_shot_model(question: Question, clip: FrozenClip | None, names: Sequence[str]) -> PromptedClip:
    if clip is None:
        raise ConfigError(f"The cue {question.cue} needs a model.", todo="Name a run or a backbone before the data.")
    config = make_config({"data": question.data, "method": "zero_shot", "model": clip.spec})
    return build_model(config, clip, list(names)).eval()


def about_masks(cue: Cue, question: Question) -> dict[str, Any]:
    """Where the masks come from, and whether somebody has drawn them or a program has guessed them."""
    folder = mask_folder(question.masks) if cue.reads_files else None
    made_by = guessed_by(folder) if folder is not None else ""
    guessed = not cue.reads_files or bool(made_by)
    words = f"of the cue {made_by}, from {folder}" if made_by else f"of the cue {cue.name}" if guessed else "from files"
    return {
        "source": cue.name,
        "options": cue.context.options.model_dump(),
        "folder": None if folder is None else str(folder),
        "guessed": guessed,
        "words": words,
    }
