"""What runs keep in the user's cache for later ones, and being rid of it: features, masks of cues, times of products.

The last are what was measured to choose the library that multiplies (`dapt.clip.linear_choice`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from dapt.clip.linear_kept import kept_times
from dapt.errors import ConfigError, did_you_mean
from dapt.files import remove_file
from dapt.runs.kept_features import features_folder
from dapt.runs.mask_stores import mask_stores, remove_stores
from dapt.training.feature_bank import ABOUT, DIGITS, LOCKS, SUFFIX

FEATURES, MASKS, LINEAR, ALL = "features", "masks", "linear", "all"
_NAME = re.compile(rf"[0-9a-f]{{{DIGITS}}}{re.escape(SUFFIX)}")


@dataclass(frozen=True)
class Kept:
    """What is kept of one kind.

    Attributes:
        kind: ``features``, ``masks`` or ``linear``. of: the backbone of features; the store of masks; the processor.
        files: how many. size: bytes.
    """

    kind: str
    of: str
    files: int
    size: int


def kept_files() -> list[Kept]:
    """Everything that is kept, the largest first."""
    found: dict[tuple[str, str], list[int]] = {}
    for kind, files in ((FEATURES, _features()), (LINEAR, kept_times())):
        for path, of in files:
            found.setdefault((kind, of), []).append(path.stat().st_size)
    kept = [Kept(kind, of, len(sizes), sum(sizes)) for (kind, of), sizes in found.items()]
    kept += [Kept(MASKS, store.name, store.images, store.size) for store in mask_stores()]
    return sorted(kept, key=lambda each: -each.size)


def remove_kept(name: str) -> list[Kept]:
    """Remove everything, all of one kind, or what is kept under one name: of a backbone, a store or a processor.

    Returns:
        what was removed.

    Raises:
        ConfigError: nothing of that name is kept, or a run is writing it. DaptError: the file system refuses.
    """
    there = kept_files()
    chosen = [each for each in there if name in (ALL, each.kind, each.of)]
    if not chosen and name not in (ALL, FEATURES, MASKS, LINEAR):
        known = [FEATURES, MASKS, LINEAR, ALL, *(each.of for each in there)]
        raise ConfigError(f"Nothing is kept under the name '{name}'.", todo=did_you_mean(name, known))
    models = {each.of for each in chosen if each.kind == FEATURES}
    for path, model in list(_features()):
        if model in models:
            remove_file(path)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
    processors = {each.of for each in chosen if each.kind == LINEAR}
    for path, processor in list(kept_times()):
        if processor in processors:
            remove_file(path)
    if models and not any(_features()):
        _remove_locks()
    for each in chosen:
        if each.kind == MASKS:
            remove_stores(each.of)
    return chosen


def _remove_locks() -> None:
    """Remove the empty files that processes held while they computed features; who waits at one goes on waiting."""
    root = features_folder()
    for path in sorted(root.glob(f"{LOCKS}/??.lock")) if root is not None else ():
        remove_file(path)
    if root is not None and (root / LOCKS).is_dir() and not any((root / LOCKS).iterdir()):
        (root / LOCKS).rmdir()


def _features() -> Iterator[tuple[Path, str]]:
    """The files of features by their names and content, with the backbone they are of."""
    root = features_folder()
    if root is None or not root.is_dir():
        return
    for path in sorted(root.glob(f"??/*{SUFFIX}")):
        if not _NAME.fullmatch(path.name) or path.parent.name != path.name[:2]:
            continue
        try:
            with safe_open(path, framework="np") as opened:  # its header alone is read
                about = json.loads((opened.metadata() or {}).get(ABOUT, "null"))
        except Exception:  # damaged: by its name it is one, and nobody can read it
            about = {}
        if isinstance(about, dict):
            yield path, str(about.get("model", "damaged"))
