"""Whether a finished run would be tested on images that it was trained on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dapt.config import RunConfig
from dapt.data.items import Item
from dapt.data.resolve import is_path
from dapt.errors import DataError
from dapt.model.prompted_clip import PromptedClip
from dapt.runs.apart import place_of
from dapt.runs.run_folder import RunFolder


def learns(model: PromptedClip) -> bool:
    """Whether anything in the model comes from training images."""
    return model.prompts.looks_first or model.prompts.count() > 0


def refuse_trained(
    folder: RunFolder, config: RunConfig, items: Sequence[Item], name: str, split: str, *, known: bool
) -> None:
    """Refuse to test a run on its own training images.

    The run's own data may have been divided anew since it was trained; other data may hold the same files.

    Args:
        items: to be tested on. name: of their data. split: of it. known: it is the run's own data.

    Raises:
        DataError: some of the images were trained on.
    """
    manifest = folder.manifest()
    if not folder.split_file.is_file() and (manifest is None or folder.split_file.name not in manifest.files):
        return  # of a version that wrote none
    try:
        trained = {row[0] for row in folder.earlier_split()["train"]}
    except (KeyError, TypeError, IndexError) as error:
        raise DataError(f"{folder.split_file} is not what dapt writes.", todo="Restore it, or train again.") from error
    seen = [item.name for item in items if item.name in trained] if known else _same_files(items, trained, config)
    if not seen:
        return
    some = f"{len(seen)} of these images of {name} were trained on (for example {seen[0]})"
    if known and split != "all":
        raise DataError(
            f"{some}: the data is divided otherwise than when the run was made.",
            todo="Train again, or put the data back as it was.",
        )
    raise DataError(
        f"{some}, so their figures would say nothing.",
        todo="Pass --split test, or name data without them." if known else "Name data, or a split, without them.",
    )


def _same_files(items: Sequence[Item], trained: set[str], config: RunConfig) -> list[str]:
    """Names of the items that are files of the run's own data which were trained on."""
    if not is_path(config.data):
        return []
    place = place_of(config.data)
    root = place.parent if place.suffix.lower() == ".csv" else place
    files = {os.path.realpath(root / name) for name in trained}
    called = {Path(name).name for name in trained}
    return [item.name for item in items if item.path.name in called and os.path.realpath(item.path) in files]
