"""Short ways to write a configuration, as the mapping that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

SECTIONS = ("dapt", "cue", "selection", "prompt", "track_options")


def written_out(given: Mapping[Any, Any]) -> dict[Any, Any]:
    """``dapt: true``, ``dapt: {margin: 1}`` (switches it on), ``cue: gradcam``, ``features: on`` as sections and texts.

    An empty section is left out; paths become texts.
    """
    tree: dict[Any, Any] = {key: str(part) if isinstance(part, PurePath) else part for key, part in given.items()}
    for key in (*SECTIONS, "track"):
        if key in tree and tree[key] is None:  # an empty section
            del tree[key]
    if isinstance(tree.get("dapt"), bool):
        tree["dapt"] = {"enabled": tree["dapt"]}
    elif isinstance(tree.get("dapt"), Mapping):
        tree["dapt"] = {"enabled": True, **tree["dapt"]}
    if isinstance(tree.get("cue"), str):
        tree["cue"] = {"source": tree["cue"]}
    if isinstance(tree.get("track"), str):
        tree["track"] = [tree["track"]]
    for key in ("features", "onednn"):
        if isinstance(tree.get(key), bool):  # what YAML takes on and off for
            tree[key] = "on" if tree[key] else "off"
    if isinstance(tree.get("precision"), int):
        tree["precision"] = str(tree["precision"])
    return tree
