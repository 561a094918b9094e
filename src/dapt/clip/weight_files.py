"""Weights out of a file, known by its content and not by its name. Nothing in the file is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from dapt.clip.dassl import TODO as DASSL_TODO
from dapt.clip.dassl import describe, is_dassl
from dapt.clip.file_kinds import incomplete, refuse_foreign, safetensors_header
from dapt.clip.pickled import look_into
from dapt.clip.torchscript import is_torchscript, read_torchscript
from dapt.console import say, visible
from dapt.errors import ModelError
from dapt.regular import irregular

CONTAINERS = ("state_dict", "model_state_dict", "model_state", "model", "module")
WRAPPERS = ("module.", "_orig_mod.", "_forward_module.", "model.", "clip_model.", "clip.")


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state dict in a safetensors file, a PyTorch file, a training checkpoint or a TorchScript archive.

    Names lose what wrappers put before all of them (``module.`` of DDP, ``_orig_mod.`` of compiled models, ...).

    Raises:
        ModelError: missing, incomplete, damaged, something else than weights, or a pickle that holds more than tensors.
    """
    if path.is_dir():
        raise ModelError(
            f"{path} is a folder, not a weight file.",
            todo="Name the file in it, or write local-dir:FOLDER for a whole model.",
        )
    if what := irregular(path):
        raise ModelError(f"{path} is not read: it is {what}.")
    if not path.is_file():
        raise ModelError(f"There is no weight file {path}.", todo="Check the path after the colon.")
    refuse_foreign(path)
    if safetensors_header(path) is not None or (path.suffix == ".safetensors" and not _is_pytorch(path)):
        return _unwrapped(_read_safetensors(path), path)
    if is_torchscript(path):
        found = read_torchscript(path)
        return {name: value.float() if value.is_floating_point() else value for name, value in found.items()}
    try:
        with path.open("rb") as file:  # of a path, torch looks at the name as well
            loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        _refuse_pickle(path, error)
    return _unwrapped(_state_dict(loaded, path), path)


def _is_pytorch(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) in (b"PK", b"\x80\x02")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except Exception as error:
        raise ModelError(f"{path} is not a readable safetensors file: {first_line(error)}.") from error


def _refuse_pickle(path: Path, error: Exception) -> NoReturn:
    """Say why a PyTorch file is not read, as far as that can be found out without running it."""
    found = look_into(path)
    if found is not None and is_dassl(found.names()):
        raise ModelError(f"{describe(path)}, not CLIP weights.", todo=DASSL_TODO) from error
    if found is not None and not found.asked and found.data_bytes > path.stat().st_size:
        raise incomplete(path, found.data_bytes, least=True) from error
    if found is not None and found.asked:
        named = ", ".join(visible(name) for name in found.asked[:3]) + (", ..." if len(found.asked) > 3 else "")
        raise ModelError(
            f"{path} was refused: besides tensors it holds Python objects ({named}).",
            todo="Only plain tensors are read, code in a pickle is never run. Where you trust the file, save its "
            "tensors alone: torch.save(model.state_dict(), 'weights.pt'), or convert it to safetensors.",
        ) from error
    raise ModelError(
        f"{path} was refused: {first_line(error)}.",
        todo="Only plain tensors are read, code in a pickle is never run. Convert it to safetensors.",
    ) from error


def _state_dict(loaded: Any, path: Path) -> dict[str, Tensor]:
    """The table of named tensors in what was loaded; of a training checkpoint, that of the model."""
    if isinstance(loaded, Mapping):
        for key in CONTAINERS:
            inner = loaded.get(key)
            if isinstance(inner, Mapping) and inner and all(isinstance(value, Tensor) for value in inner.values()):
                epoch = loaded.get("epoch")
                after = f" after epoch {epoch}" if isinstance(epoch, int) else ""
                if len(loaded) > 1 and not is_dassl(inner):
                    say(f"{path.name}: a training checkpoint{after}; of it '{key}' is used.")
                loaded = inner
                break
    named = isinstance(loaded, Mapping) and all(isinstance(name, str) for name in loaded)
    if not named or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ModelError(f"{path} holds no state dict (a table of named tensors).")
    return dict(loaded)


def _unwrapped(weights: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The weights under the names of the model itself.

    Raises:
        ModelError: they are those of something else.
    """
    if is_dassl(weights):
        raise ModelError(f"{describe(path)}, not CLIP weights.", todo=DASSL_TODO)
    while weights:
        prefix = next((prefix for prefix in WRAPPERS if all(name.startswith(prefix) for name in weights)), None)
        if prefix is None:
            break
        weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    if weights and all(".lora_" in name or name.startswith("base_model.") for name in weights):
        raise ModelError(
            f"{path} holds the updates of an adapter (PEFT, LoRA), not the weights of a model.",
            todo="Merge them into the model where they were made (merge_and_unload), and save that.",
        )
    return weights


def first_line(error: BaseException) -> str:
    """The first line of what an error says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".:")[:300]


def last_line(error: BaseException) -> str:
    """The last line of what an error says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".:")[:300] if lines else type(error).__name__
