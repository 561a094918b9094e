"""The state to resume from: plain tensors, with a checksum, so that a file with a wrong byte is refused, not used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from dapt.digests import DIGEST, content_digest
from dapt.errors import ModelError
from dapt.files import write_with

STATE_KEYS = {
    *("epoch", "prompts", "optimizer", "scaler", "helpers", "average", "lines"),
    *("best", "best_accuracy", "best_epoch"),
}
RUN_KEYS = {"identity", "device", "log", "cue_prompts", DIGEST}  # states of older versions lack some of them


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write the resume state: tensors and plain values only, with their checksum.

    Raises:
        DaptError: the file system refuses; the folder has to be there.
    """
    whole = {**state, DIGEST: content_digest(state)}
    write_with(path, lambda file: torch.save(whole, file), make_parents=False)


def load_state(path: Path) -> dict[str, Any]:
    """Read a resume state. Code in the file is never executed.

    Raises:
        ModelError: damaged, changed, or holds more than tensors and plain values.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling has errors of many types
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"The checkpoint {path} was refused: {reason[:200]}.",
            todo="Only plain tensors are read, code in it is never run. Start again with --overwrite.",
        ) from error
    if not isinstance(state, dict) or not set(state) >= STATE_KEYS:
        raise ModelError(f"The checkpoint {path} holds no resume state.", todo="Start again with --overwrite.")
    if not set(state) >= RUN_KEYS:
        raise ModelError(
            f"The checkpoint {path} was written by another version of dapt.", todo="Start again with --overwrite."
        )
    digest = state.pop(DIGEST)
    if digest != content_digest(state):
        raise ModelError(
            f"The checkpoint {path} was changed or is damaged: its checksum does not fit.",
            todo="Start again with --overwrite.",
        )
    return state
