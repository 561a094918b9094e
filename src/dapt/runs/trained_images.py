"""Whether a finished run would be tested on images that it was trained on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dapt.config import RunConfig
from dapt.console import progress, warn
from dapt.data.check.copies import equal_files
from dapt.data.check.finding import count
from dapt.data.contents import file_digest
from dapt.data.items import Item
from dapt.data.resolve import is_path
from dapt.environment import cores
from dapt.errors import DataError
from dapt.model.prompted_clip import PromptedClip
from dapt.runs.apart import place_of
from dapt.runs.run_folder import RunFolder

DIGITS = 32  # of a checksum in inputs.json; what may follow says how the image was read
KEPT_NAMES = 100  # of images that were trained on, in records
WITHOUT = "Name data, or a split, without them."
BECAUSE = {
    "option": "--allow-leaks says so",
    "allow_leaks of the run": "the run was trained with --allow-leaks",
    "published split": "the published split decides here",
}


def learns(model: PromptedClip) -> bool:
    """Whether anything in the model comes from training images."""
    return model.prompts.looks_first or model.prompts.count() > 0


def look_for_trained(
    folder: RunFolder,
    config: RunConfig,
    items: Sequence[Item],
    name: str,
    split: str,
    *,
    known: bool,
    allowed: bool = False,
    official: bool = False,
) -> dict[str, Any] | None:
    """Refuse to test a run on its own training images, under whatever names.

    The run's own data may have been divided anew since it was trained; other data may hold the same files, or copies.

    Args:
        items: to be tested on. name: of their data. split: of it. known: it is the run's own data.
        allowed: go on, with a warning; also if the run was trained so, or the data is the published split of a data
            set (`official`), as far as copies go.

    Returns:
        what the record says of images that were trained on, None where there are none.

    Raises:
        DataError: some of the images were trained on.
    """
    manifest = folder.manifest()
    if not folder.split_file.is_file() and (manifest is None or folder.split_file.name not in manifest.files):
        return None  # of a version that wrote none
    try:
        trained = [str(row[0]) for row in folder.earlier_split()["train"]]
    except (KeyError, TypeError, IndexError) as error:
        raise DataError(f"{folder.split_file} is not what dapt writes.", todo="Restore it, or train again.") from error
    files = _files(config, trained)
    seen = _named(items, set(trained)) if known else _same_files(items, files)
    copies = set(_copies(folder, items, trained, files)) - set(seen)
    if not seen and not copies:
        return None
    both = [item.name for item in items if item.name in seen or item.name in copies]
    by = _allowed_by(config, known=known, only_copies=not seen, official=official) or ("option" if allowed else "")
    some = f"{count(len(both), 'image')} of {name} {'was' if len(both) == 1 else 'were'} trained on"
    if copies:
        some += f", {len(copies)} of them as copies, equal byte for byte"
    some += f" (for example {both[0]})"
    if by:
        warn(f"{some}. They are tested on, because {BECAUSE[by]}.")
        return {"test_images": len(both), "allowed_by": by, "first_names": both[:KEPT_NAMES]}
    if known and split != "all" and not copies:
        raise DataError(
            f"{some}: the data is divided otherwise than when the run was made.",
            todo="Train again, or put the data back as it was. --allow-leaks goes on, and the figures say so.",
        )
    raise DataError(
        f"{some}, so their figures would say nothing.",
        todo=("Pass --split test, or name data without them." if known and split == "all" else WITHOUT)
        + " --allow-leaks goes on, and the figures say so.",
    )


def _allowed_by(config: RunConfig, *, known: bool, only_copies: bool, official: bool) -> str:
    """What allows images to be tested on that were trained on, if it is not the option."""
    if not only_copies:
        return ""
    if official:
        return "published split"
    return "allow_leaks of the run" if known and config.allow_leaks else ""


def _named(items: Sequence[Item], trained: set[str]) -> list[str]:
    return [item.name for item in items if item.name in trained]


def _files(config: RunConfig, names: Sequence[str]) -> dict[str, Path]:
    """Where the training images are, or were, by name; empty where the run does not tell."""
    if not is_path(config.data):
        return {}
    place = place_of(config.data)
    root = place if place.is_dir() else place.parent
    return {name: root / name for name in names}


def _same_files(items: Sequence[Item], files: Mapping[str, Path]) -> list[str]:
    """Names of the items that are files which were trained on."""
    called = {path.name for path in files.values()}
    if not any(item.path.name in called for item in items):
        return []
    places = {os.path.realpath(path) for path in files.values()}
    return [item.name for item in items if item.path.name in called and os.path.realpath(item.path) in places]


def _copies(folder: RunFolder, items: Sequence[Item], trained: Sequence[str], files: Mapping[str, Path]) -> list[str]:
    """Names of the items with the bytes of training images, by what the run noted of these, or by the files."""
    noted = folder.earlier_inputs() if folder.inputs_file.is_file() else {}
    digests = noted.get("images") if isinstance(noted, Mapping) and noted.get("whole") else None
    if isinstance(digests, Mapping):
        known = {str(digests[name])[:DIGITS] for name in trained if name in digests}
        with ThreadPoolExecutor(cores()) as pool:
            found = pool.map(_digest, (item.path for item in items))
            told = list(progress(found, len(items), "comparing with the training images", "files"))
        return [item.name for item, digest in zip(items, told, strict=True) if digest in known]
    there = list(files.values())
    groups = equal_files([*there, *(item.path for item in items)])
    positions = {place - len(there) for group in groups if group[0] < len(there) for place in group}
    return [items[place].name for place in sorted(positions) if place >= 0]


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError:
        return ""
