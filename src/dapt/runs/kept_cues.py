"""Masks that training makes of cues are kept in the user's cache, so that later runs read what one has computed.

One store (`dapt.data.masks.mask_entries`) per data set, cue and whatever else decides its masks. Masks are kept at the
size in which the cue makes them, hard ones exactly, soft ones in 8 bits; they are always read back, so that the first
run sees what later ones see.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dapt.config import RunConfig
from dapt.console import progress, say, warn
from dapt.cues.base import Cue
from dapt.data.items import UNLABELLED, Item
from dapt.data.load.reading import changed_reading
from dapt.data.masks.mask_entries import part_folders
from dapt.digests import content_digest
from dapt.environment import cores, version
from dapt.errors import ConfigError, DaptError
from dapt.model.prompted_clip import PromptedClip
from dapt.owned import digest_of
from dapt.paths import kept_folder
from dapt.runs.making_masks import make_masks
from dapt.runs.mask_folder import MaskFolder
from dapt.runs.mask_statistics import grey_of, report_of
from dapt.runs.run_data import RunData
from dapt.wording import counted

VARIABLE = "DAPT_MASKS"
WAIT_S = 7 * 86400.0  # another process makes the same masks; they are not made twice
DIGITS = 16
HALF = 128


def stores_folder() -> Path | None:
    """Where stores are kept: ``$DAPT_MASKS``, else ``dapt/masks`` in the user's cache; None: nobody knows a home."""
    return kept_folder(VARIABLE, "masks")


def is_kept(cue: Cue, config: RunConfig) -> bool:
    """Whether the masks of a cue are kept: they are made once per run, and are no files already."""
    follows = cue.follows_prompts and config.cue.refresh > 0
    return not (follows or cue.reads_files or cue.may_be_without)


def kept_masks(cue: Cue, config: RunConfig, data: RunData, model: PromptedClip) -> list[Tensor | None]:
    """The masks of the training images, from the store as far as it has them; `cue.report` tells of all of them.

    A store that cannot be used is said and done without.

    Raises:
        DaptError: of the cue.
    """
    items = data.train.items
    root = stores_folder()
    if root is None:
        return cue.prepare(items, model)
    settings = settings_of(cue, config, data, model)
    digest = digest_of(json.dumps(settings, sort_keys=True, default=str).encode())[:DIGITS]
    folder = root / f"{data.source.name}-{cue.name}-{digest}".replace("/", "_")
    made_for = {item.name: "" if item.label == UNLABELLED else model.names[item.label] for item in items}
    store = MaskFolder(folder, settings, items, made_for=made_for)
    guarded = _Guarded(cue)
    try:
        return _from_store(store, guarded, items, model)
    except DaptError as error:
        if error is guarded.error:
            raise
        warn(f"The store of masks {folder} is not used, and the masks are made without it. {error.what}")
        return cue.prepare(items, model)


def settings_of(cue: Cue, config: RunConfig, data: RunData, model: PromptedClip) -> dict[str, Any]:
    """Everything but the images that decides the masks of a cue."""
    found: dict[str, Any] = {"data": data.source.name, "root": str(Path(data.source.root).resolve()), "cue": cue.name}
    found |= {f"cue.{key}": value for key, value in cue.context.options.noted().items()}
    found |= {f"cue_{key}": value for key, value in cue.made_with().items()}
    found |= {"seed": config.seed if cue.seeded else None, "classes": list(model.names), "soft": cue.soft}
    found |= {"dapt": version(), "code": _code_of(cue), **changed_reading()}
    if cue.needs_model or cue.follows_prompts:
        found |= {
            "model": model.clip.spec,
            "backbone": model.clip.fingerprint(),
            "method": config.method,
            "prompts": content_digest(dict(model.prompts.state_dict())),
            "precision": config.precision,
        }
    return found


def _code_of(cue: Cue) -> str:
    """A checksum of the file that defines a cue: whoever works on one gets new masks."""
    try:
        file = inspect.getsourcefile(type(cue))
        return digest_of(Path(file).read_bytes())[:DIGITS] if file else ""
    except (OSError, TypeError):
        return ""


class _Guarded(Cue):
    """A cue that remembers which error was its own."""

    def __init__(self, cue: Cue) -> None:
        super().__init__(cue.context)
        self.cue = cue
        self.name, self.soft = cue.name, cue.soft
        self.error: DaptError | None = None

    def ready(self, items: Sequence[Item], model: PromptedClip | None) -> None:
        try:
            self.cue.ready(items, model)
        except DaptError as error:
            self.error = error
            raise

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        try:
            masks = self.cue.prepare(items, model)
        except DaptError as error:
            self.error = error
            raise
        self.report = self.cue.report
        return masks


def _from_store(
    store: MaskFolder, cue: _Guarded, items: Sequence[Item], model: PromptedClip | None
) -> list[Tensor | None]:
    store.check()
    try:
        store.lock.take()
    except ConfigError as error:
        say(f"{error.what} It makes the masks of this cue; waiting for them.")
    with store.writing(WAIT_S) as left:
        if left:
            cue.ready(left, model)
        make_masks(store, cue, left, model, whole=False)
        if left or part_folders(store.path):
            store.finish({"images": len(items)})
    say(
        f"{counted(len(items) - len(left), 'mask')} read, {len(left)} made: kept in {store.path} for later runs "
        "(remove that folder to be rid of them)"
    )
    entries = [(item.name, store.entries[item.name]) for item in items]
    with ThreadPoolExecutor(cores()) as pool:
        read = pool.map(lambda item: _mask_of(store, item, soft=cue.soft), items)
        masks = list(progress(read, len(items), "reading masks", "masks"))
    cue.cue.report = report_of(entries)
    return masks


def _mask_of(store: MaskFolder, item: Item, *, soft: bool) -> Tensor | None:
    if store.entries[item.name].kind != "usable":
        return None
    grey = torch.from_numpy(grey_of(store.target(item)))
    return grey.float() / 255 if soft else grey >= HALF
