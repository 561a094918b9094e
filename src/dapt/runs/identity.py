"""What a run is: its configuration and the content of everything it reads, so that it never goes on as another one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from dapt.clip.frozen import FrozenClip
from dapt.config import RunConfig
from dapt.console import progress, say, warn
from dapt.cues.base import Cue
from dapt.data.items import Item
from dapt.data.load.images import reading_mark
from dapt.data.masks.mask_files import mask_folder
from dapt.data.masks.mask_finder import MaskFinder
from dapt.environment import cores
from dapt.errors import DaptError, DataError
from dapt.model.saved import PROMPTS
from dapt.plugins import installed_plugins, plugin_file
from dapt.runs.class_weights import weights_file
from dapt.runs.multiplying import NOTED
from dapt.runs.run_data import RunData
from dapt.runs.run_folder import RunFolder, result_settings
from dapt.runs.training_cue import model_files, told_of_masks
from dapt.strict import Names
from dapt.wording import some

# Raise it whenever the same configuration and inputs would train to another result: older checkpoints are refused.
CODE_SCHEMA = 2
SCHEMA = 1
LATER = ("cue", "told")  # inputs that came later: a run that was begun without them goes on without them
MADE = "made"  # what was made of the inputs; not one itself, see `dapt.runs.training_cue`
# Beyond so much, files are known by size, time and both ends: reading all of ImageNet first would take half an hour.
FULL_BYTES = 20 * 2**30
END_BYTES = 2**16
CHUNK = 2**20
SHOWN = 3
NO_INPUTS = (MADE, NOTED)  # what else stands in inputs.json

Inputs = dict[str, Any]


def identity(config: RunConfig, inputs: Inputs) -> str:
    """A short hash of all that decides the result: settings, inputs, and this program's rules of training."""
    inputs = {key: value for key, value in inputs.items() if key not in NO_INPUTS}
    parts = {"settings": result_settings(config), "inputs": inputs, "code": CODE_SCHEMA}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def fingerprint(config: RunConfig, data: RunData, clip: FrozenClip, cue: Cue | None = None) -> Inputs:
    """The content of all inputs of a run: images, masks, class names, split file, weights, teacher, the cue's model.

    Args:
        cue: of the run; None: it has none.

    Returns:
        JSON values: ``images`` and ``masks`` by the image's name, ``files`` by the option that names them,
        ``weights`` of the backbone; with a cue, ``cue``: what it computes with, and ``told``: what decides the result
        of what a store of masks says of them, by the image's name. Each value is a hash, of the whole content unless
        the inputs exceed `FULL_BYTES`.

    Raises:
        DataError: a file cannot be read. DaptError: what the cue computes with is not there.
    """
    parts = [part for part in (data.train, data.val, data.test, data.novel) if part is not None]
    items = {item.name: item for part in parts for item in part.items}
    masks = _mask_files(config, items.values())
    files = {key: path for key, path in _named_files(config).items() if path.is_file()}
    every = [
        *(("images", name, item.path) for name, item in items.items()),
        *(("masks", name, path) for name, path in masks),
        *(("files", name, path) for name, path in files.items()),
        *(("cue", name, path) for name, path in ({} if cue is None else model_files(config)).items()),
    ]
    whole = sum(_size(path) for _, _, path in every) <= FULL_BYTES
    if not whole:
        say(
            f"The inputs exceed {FULL_BYTES // 2**30} GB: what changes them later is looked for in their sizes, times, "
            "beginnings and ends, not in all of their content."
        )
    digest_file = hash_file if whole else _hash_ends
    with ThreadPoolExecutor(cores()) as pool:
        hashed = pool.map(digest_file, (path for _, _, path in every))
        digests = list(progress(hashed, len(every), "noting the inputs", "files"))
        marks = dict(zip(items, pool.map(reading_mark, (item.path for item in items.values())), strict=True))
    found: Inputs = {"schema": SCHEMA, "whole": whole, "images": {}, "masks": {}, "files": {}}
    if cue is not None:
        found |= {"cue": {}, "told": told_of_masks(config, cue, data.train.items)}
    for (kind, name, _), digest in zip(every, digests, strict=True):
        found[kind][name] = digest + marks[name] if kind == "images" else digest
    if cue is not None and not found["cue"]:
        found["cue"] = {key: str(value) for key, value in cue.made_with().items()}
    found["names"] = _hash_text(json.dumps([data.source.names, data.train.names]))
    found["groups"] = _hash_text(json.dumps(sorted((item.name, item.group) for item in items.values() if item.group)))
    found["weights"] = weights_digest(clip)
    if extensions := installed_plugins():
        found["plugins"] = extensions
    return found


def _mask_files(config: RunConfig, items: Iterable[Item]) -> list[tuple[str, Path]]:
    """The mask files of every image that has some, by name of the image: the data set's own, and that in --masks."""
    folder = mask_folder(config.masks)
    finder = MaskFinder(folder, config.mask_format, config.mask_name) if folder is not None else None
    found: list[tuple[str, Path]] = []
    for item in items:
        if item.mask is not None and item.mask.is_file():
            found.append((item.name, item.mask))
        given = _found(finder, item) if finder is not None else ()
        for number, path in enumerate(given, start=1):
            found.append((f"{item.name} (--masks{f' {number}' if len(given) > 1 else ''})", path))
    return found


def _found(finder: MaskFinder, item: Item) -> tuple[Path, ...]:
    try:
        return finder.find(item)
    except DataError:  # two files could be it: a cue refuses them, an evaluation goes on without
        return ()


def _named_files(config: RunConfig) -> dict[str, Path]:
    """Single files that the configuration names."""
    found = {key: Path(value) for key in ("names", "split_file") if (value := getattr(config, key))}
    if (weights := weights_file(config)) is not None:
        found["class_weights"] = weights
    found |= {f"plugin {number}": plugin_file(file) for number, file in enumerate(config.plugins, start=1)}
    for key in config.recipe.options.naming(Names.SAVED_MODEL):
        if path := config.prompt[key]:
            found[key] = Path(path) / PROMPTS if Path(path).is_dir() else Path(path)
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise DataError(f"Could not read {path}: {error.strerror or error}.") from error


def hash_file(path: Path) -> str:
    """A hash of the content of a file.

    Raises:
        DataError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while content := file.read(CHUNK):
                digest.update(content)
    except OSError as error:
        raise DataError(f"Could not read {path}: {error.strerror or error}.") from error
    return digest.hexdigest()[:32]


def _hash_ends(path: Path) -> str:
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            digest = hashlib.sha256(f"{state.st_size} {state.st_mtime_ns}".encode())
            digest.update(file.read(END_BYTES))
            file.seek(max(0, state.st_size - END_BYTES))
            digest.update(file.read(END_BYTES))
    except OSError as error:
        raise DataError(f"Could not read {path}: {error.strerror or error}.") from error
    return digest.hexdigest()[:32]


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def weights_digest(clip: FrozenClip) -> str:
    """A hash of every weight of the backbone, in the type it is held in, and of how it takes its pixels."""
    digest = hashlib.sha256(f"{clip.preprocess} {clip.image.image_size}".encode())
    for name, value in sorted(clip.model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:32]


def tell_of_changed_plugins(folder: RunFolder, config: RunConfig) -> None:
    """Warn of extensions that are not what they were when a run was made: its results may not be theirs."""
    if not config.plugins or not folder.inputs_file.is_file():
        return
    noted = folder.earlier_inputs()["files"]
    for number, file in enumerate(config.plugins, start=1):
        if noted.get(f"plugin {number}") != hash_file(plugin_file(file)):
            warn(f"The plugin {file} has changed since the run in {folder.path} was made.")


def check_unchanged(before: Any, now: Inputs, *, run: Path, data: str) -> None:
    """Whether the inputs are what they were when the run was started.

    Args:
        before: content of inputs.json.

    Raises:
        DataError: names what changed.
    """
    if not isinstance(before, Mapping):
        raise DaptError(f"{run / 'inputs.json'} is damaged.", todo="Pass --overwrite to start again.")
    before = {key: value for key, value in before.items() if key not in NO_INPUTS}
    now = {key: value for key, value in now.items() if key not in NO_INPUTS and (key in before or key not in LATER)}
    if before.get("cue") == {}:
        now["cue"] = {}  # a model that was fetched by the run itself
    if before == now:
        return
    told = []
    for kind, one in (("images", "image"), ("masks", "mask")):
        names = _different(before.get(kind), now[kind])
        if names:
            shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
            told.append(f"{len(names)} {one if len(names) == 1 else kind} ({shown})")
    told += [f"the {key.replace('_', ' ')} file" for key in _different(before.get("files"), now["files"])]
    told += [f"the cue's {key.removeprefix('cue.')}" for key in _different(before.get("cue", {}), now.get("cue", {}))]
    if scored := _different(before.get("told", {}), now.get("told", {})):
        told.append(f"what is said of {len(scored)} {'mask' if len(scored) == 1 else 'masks'} ({some(scored)})")
    if before.get("names") != now["names"]:
        told.append("the class names")
    if before.get("groups") != now["groups"]:
        told.append("the groups of images")
    if before.get("plugins") != now.get("plugins"):
        told.append("the installed extensions of dapt")
    if before.get("weights") != now["weights"]:
        told.append("the backbone (its weights, or how it takes pixels)")
    what = " and ".join(told) or "the way they are noted"
    raise DataError(
        f"The inputs from {data} have changed since the run in {run} was started: {what}.",
        todo="Restore them, or pass --overwrite to start again.",
    )


def _different(before: Any, now: Mapping[str, str]) -> list[str]:
    if not isinstance(before, Mapping):
        return sorted(now)
    return sorted(str(name) for name in {*before, *now} if before.get(name) != now.get(name))
