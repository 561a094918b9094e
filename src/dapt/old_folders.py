"""Folders of version 0.1.0, which kept no manifests: known by what is in them."""

from __future__ import annotations

from pathlib import Path

from dapt.config_text import read_yaml
from dapt.errors import ConfigError, DaptError
from dapt.files import read_json

# Settings that it wrote into every run.yaml, and hardly anybody by hand.
RUN_KEYS = {"data", "model", "method", "prompt", "dapt", "cue", "shots", "seed", "subset", "crop_scale", "flip", "out"}
RUN_KEYS |= {"epochs", "batch_size", "lr", "workers", "cache_mb", "eval_batch_size", "device", "precision"}
SPLIT_KEYS = {"data", "train", "val", "test"}
MASKS_KEYS = {"settings", "images", "coverage_percent"}


def is_old_run(folder: Path) -> bool:
    """Whether a folder without a manifest is a run: every setting and the split are there."""
    try:
        tree = read_yaml(folder / "run.yaml")
    except ConfigError:
        return False
    return set(tree) >= RUN_KEYS and holds_keys(folder / "split.json", SPLIT_KEYS)


def is_old_masks(folder: Path) -> bool:
    """Whether a folder without a manifest was filled by ``dapt masks``."""
    return (folder / "masks.json").is_file() and holds_keys(folder / "masks.json", MASKS_KEYS)


def holds_keys(path: Path, keys: set[str]) -> bool:
    """Whether a file is a JSON object with these keys."""
    try:
        tree = read_json(path)
    except DaptError:
        return False
    return isinstance(tree, dict) and keys <= set(tree)
