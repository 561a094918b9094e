"""The folder of a saved model: the prompts file, which is all that counts, and what it says in a form to read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dapt.errors import ConfigError
from dapt.files import json_text, write_bytes
from dapt.lock import FolderLock
from dapt.outputs import check_folder
from dapt.owned import Manifest, read_manifest, refuse_strangers, remove_known, strangers, sweep, write_manifest

KIND = "model"
PROMPTS, CONFIG = "prompts.safetensors", "config.json"
FILES = (CONFIG, PROMPTS)  # in the order in which they are written, behind what else goes with a model


def write_model_folder(
    folder: Path, prompts: bytes, config: Mapping[str, Any], more: Mapping[str, bytes] | None = None
) -> None:
    """Write a saved model, in place of the one that was there before, whole or not at all.

    The prompts file alone is read again, so what is left of an interrupted write is the model before it.

    Args:
        prompts: see `dapt.model.prompts_file`. config: the same for people. more: other files, by name.

    Raises:
        ConfigError: the folder holds what dapt did not write, or another of its kinds, or lies within such a one.
        DaptError: the file system refuses, or another process writes there.
    """
    text = json_text(dict(config), folder / CONFIG).encode()
    _check(folder)
    with FolderLock(folder):
        _check(folder)  # again, now that nobody else writes
        files = {**(more or {}), CONFIG: text}
        manifest = read_manifest(folder)
        if manifest is None or set(manifest.files) != {*files, PROMPTS}:
            remove_known(
                folder, [name for name in (manifest.files if manifest else ()) if name not in (*files, PROMPTS)]
            )
            write_manifest(folder, Manifest(KIND, dict.fromkeys((*files, PROMPTS))))
        sweep(folder, (*files, PROMPTS))
        for name, content in files.items():
            write_bytes(folder / name, content, make_parents=False)
        write_bytes(folder / PROMPTS, prompts, make_parents=False)


def _check(folder: Path) -> None:
    todo = "Choose another folder."
    check_folder(folder, todo=todo)
    manifest = read_manifest(folder)
    if manifest is None:
        refuse_strangers(folder, strangers(folder, ()))
    elif manifest.kind != KIND:
        raise ConfigError(f"{folder} holds a {manifest.kind}, not a saved model.", todo=todo)
