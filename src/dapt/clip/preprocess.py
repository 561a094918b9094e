"""How a model wants its pixels, as open_clip notes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dapt.clip.frozen import Preprocess
from dapt.clip.model_folder import check_channels
from dapt.errors import ModelError, did_you_mean
from dapt.strict import shown

INTERPOLATIONS = ("bicubic", "bilinear", "nearest", "random")
RESIZE_MODES = ("shortest", "longest", "squash")
KEYS = ("mean", "std", "interpolation", "resize_mode")
UNUSED = ("size", "mode", "fill_color")  # of open_clip's notes: the size is the image tower's own


def preprocess_of(visual: Any, spec: str) -> Preprocess:
    """What an open_clip image tower says of itself; OpenAI's ways where it says nothing.

    Raises:
        ModelError: in a way that there is not.
    """
    given = getattr(visual, "preprocess_cfg", None) or {}
    found = {key: given[key] for key in ("interpolation", "resize_mode") if key in given}
    for key, attribute in (("mean", "image_mean"), ("std", "image_std")):
        if value := getattr(visual, attribute, None):
            found[key] = value
    return read_preprocess(found, spec)


def read_preprocess(given: Mapping[str, Any], spec: str) -> Preprocess:
    """Notes in the form of open_clip's ``preprocess_cfg`` as a `Preprocess`; what is absent is OpenAI's.

    Raises:
        ModelError: a key or a way that there is not, or means and deviations that are none.
    """
    import open_clip

    for key in given:
        if key not in (*KEYS, *UNUSED):
            raise ModelError(f"{spec}: preprocessing has no '{key}'.", todo=did_you_mean(str(key), KEYS))
    ways = {
        "interpolation": given.get("interpolation", "bicubic"),
        "resize_mode": given.get("resize_mode", "shortest"),
    }
    for key, known in (("interpolation", INTERPOLATIONS), ("resize_mode", RESIZE_MODES)):
        if ways[key] not in known:
            raise ModelError(f"{spec}: {key} is {shown(ways[key])}.", todo=f"Known: {', '.join(known)}.")
    return Preprocess(
        mean=check_channels(given.get("mean", open_clip.OPENAI_DATASET_MEAN), f"{spec}: the mean", positive=False),
        std=check_channels(
            given.get("std", open_clip.OPENAI_DATASET_STD), f"{spec}: the standard deviation", positive=True
        ),
        **ways,
    )
