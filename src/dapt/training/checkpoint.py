"""Saving and loading: learned prompts (safetensors) and the state to resume from (plain tensors)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.environment import version
from dapt.errors import ModelError
from dapt.files import write_with

FORMAT = "dapt-prompts-1"
STATE_KEYS = {
    *("epoch", "prompts", "optimizer", "scaler", "helpers", "average", "lines"),
    *("best", "best_accuracy", "best_epoch", "masks"),
}


@dataclass(frozen=True)
class SavedPrompts:
    """Learned prompts as stored.

    Attributes:
        tensors: parameters by name. method, options: how to build the architecture.
        names: class names trained on. backbone: `FrozenClip.describe` of the model trained with.
    """

    tensors: dict[str, Tensor]
    method: str
    options: dict[str, Any]
    names: tuple[str, ...]
    backbone: dict[str, Any]


def save_prompts(
    path: Path,
    tensors: dict[str, Tensor],
    *,
    method: str,
    options: dict[str, Any],
    names: Sequence[str],
    clip: FrozenClip,
) -> None:
    """Write prompts with everything needed to use them again."""
    from safetensors.torch import save_file

    metadata = {
        "format": FORMAT,
        "dapt_version": version(),
        "method": method,
        "options": json.dumps(options),
        "classnames": json.dumps(list(names)),
        "backbone": json.dumps(clip.describe()),
    }
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_with(path, lambda temporary: save_file(plain, str(temporary), metadata=metadata))


def load_prompts(path: Path) -> SavedPrompts:
    """Read a prompts file.

    Raises:
        ModelError: missing, damaged, or not made by this program.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"The prompts {path} cannot be read: {error}.") from error
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{path} was not written by this version of dapt.", todo=f"Expected format {FORMAT}.")
    try:
        return SavedPrompts(
            tensors,
            metadata["method"],
            json.loads(metadata["options"]),
            tuple(json.loads(metadata["classnames"])),
            json.loads(metadata["backbone"]),
        )
    except (KeyError, ValueError) as error:
        raise ModelError(f"The prompts {path} lack their description: {error}.") from error


def check_backbone(saved: SavedPrompts, clip: FrozenClip) -> None:
    """Refuse a backbone the prompts were not trained with.

    Raises:
        ModelError: sizes or weights differ; both models are named.
    """
    ours, theirs = clip.describe(), saved.backbone
    sizes = [key for key in theirs if key not in ("spec", "fingerprint") and ours.get(key) != theirs[key]]
    if sizes:
        difference = f"{sizes[0]} is {theirs[sizes[0]]} there and {ours.get(sizes[0])} here"
    elif ours["fingerprint"] != theirs["fingerprint"]:
        difference = "the weights are different"
    else:
        return
    raise ModelError(
        f"These prompts were trained with {theirs['spec']}, not with {clip.spec}: {difference}.",
        todo=f"Load them with --model {theirs['spec']}.",
    )


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write the resume state: tensors and plain values only."""
    write_with(path, lambda temporary: torch.save(state, temporary))


def load_state(path: Path) -> dict[str, Any]:
    """Read a resume state. Code in the file is never executed.

    Raises:
        ModelError: damaged, or holds more than tensors and plain values.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"The checkpoint {path} was refused: {reason[:200]}.",
            todo="Only plain tensors are read, code in it is never run. Start again with --overwrite.",
        ) from error
    if not isinstance(state, dict) or not set(state) >= STATE_KEYS:
        raise ModelError(f"The checkpoint {path} holds no resume state.", todo="Start again with --overwrite.")
    return state
