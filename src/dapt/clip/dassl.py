"""Prompt checkpoints that programs on Dassl write (CoOp, CoCoOp, MaPLe, PromptSRC, ...), known by their content."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dapt.clip.pickled import look_into

CHECKPOINTS = "model*.pth.tar*"
BUFFERS = ("token_prefix", "token_suffix")
TODO = (
    "This version of dapt does not read these yet: 'dapt import', which will, is still to come. Train the same method "
    "here: dapt train DATA --method NAME; 'dapt methods list' shows the names."
)


def is_dassl(names: Iterable[str]) -> bool:
    """Whether a state dict with these names is that of a prompt learner."""
    found = list(names)
    buffers = any(name.rpartition(".")[2] in BUFFERS for name in found)
    return buffers or any("prompt_learner." in name for name in found)


def dassl_checkpoint(path: Path) -> Path | None:
    """The prompt checkpoint at a path, itself a file, or in the folder or a folder within it; None: there is none.

    Nothing in the file is run.
    """
    if path.is_file():
        files = [path]
    elif path.is_dir():
        files = sorted([*path.glob(CHECKPOINTS), *path.glob(f"*/{CHECKPOINTS}")])
    else:
        return None
    for file in files[:3]:
        found = look_into(file) if file.is_file() else None
        if found is not None and is_dassl(found.names()):
            return file
    return None


def describe(path: Path) -> str:
    """A sentence that says what it is."""
    return f"{path} is a prompt checkpoint of Dassl (as CoOp, MaPLe and their relatives write them)"
