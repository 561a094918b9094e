"""Figures of later evaluations, kept in the folder of a finished run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from dapt.console import say
from dapt.errors import ConfigError
from dapt.files import json_text, read_json, write_bytes
from dapt.lock import FolderLock
from dapt.outputs import refuse_linked
from dapt.owned import digest_of, sweep, write_manifest
from dapt.results import EvaluationResults
from dapt.runs.evaluation_files import EVALUATIONS, is_evaluation

if TYPE_CHECKING:
    from dapt.runs.run_folder import RunFolder


def check_evaluation(folder: RunFolder, name: str) -> None:
    """Whether ``eval/NAME.json`` may be written; changes nothing.

    Raises:
        ConfigError: a file of somebody else's is in its place, or a link.
    """
    entry = f"{EVALUATIONS}/{name}.json"
    refuse_linked(folder.path, [entry])
    path = folder.path / entry
    if path.is_symlink() or (path.exists() and not is_evaluation(path)):
        raise ConfigError(f"{path} is in the way: dapt did not write it.", todo="Move it, or pass --json FILE.")


def add_evaluation(folder: RunFolder, name: str, record: EvaluationResults) -> Path:
    """Write ``eval/NAME.json`` into a finished run and list it; returns its path.

    Where that holds the figures of something else (other data of the same name, say), it is kept, and the name gets
    some digits that stand for what was evaluated.

    Args:
        record: the figures; `asked` in it tells what was evaluated.

    Raises:
        ConfigError: another process is writing into the folder, or a file or link of somebody else's is in the way.
    """
    check_evaluation(folder, name)
    with FolderLock(folder.path):
        check_evaluation(folder, name)  # again, now that nobody else writes
        path = folder.path / EVALUATIONS / f"{name}.json"
        if path.exists() and read_json(path).get("asked") != record.asked:
            say(f"{path} holds the figures of something else and is kept.")
            name += "-" + digest_of(json.dumps(record.asked, sort_keys=True).encode())[:8]
            check_evaluation(folder, name)
        entry = f"{EVALUATIONS}/{name}.json"
        manifest = folder.manifest()
        sweep(folder.path, [*folder.known(manifest), entry])
        if manifest is not None and entry not in manifest.files:
            manifest.files[entry] = None
            write_manifest(folder.path, manifest)
        write_bytes(folder.path / entry, json_text(record.tree(), folder.path / entry).encode(), within=folder.path)
    return folder.path / entry
