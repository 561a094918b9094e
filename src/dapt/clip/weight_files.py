"""Weights out of a file, known by its content and not by its name. Nothing in the file is run."""

from __future__ import annotations

import re
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

SHOWN = 3  # names of tensors in a message


def check_place(path: Path) -> None:
    """Refuse what cannot be a path.

    Raises:
        ModelError: it is too long, or the system refuses it for another reason than that nothing is there.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except ValueError:
        raise ModelError(f"{visible(str(path))} is no path: it holds a null character.") from None
    except OSError as error:
        short = str(path) if len(str(path)) <= 200 else f"{str(path)[:80]}...{str(path)[-40:]}"
        raise ModelError(
            f"{short} cannot be opened: {error.strerror}.", todo="Check the path after the colon."
        ) from None


def check_weight_file(path: Path) -> None:
    """Refuse what is not there, or no file.

    Raises:
        ModelError: naming what it is.
    """
    check_place(path)
    if path.is_dir():
        raise ModelError(
            f"{path} is a folder, not a weight file.",
            todo="Name the file in it, or write local-dir:FOLDER for a whole model.",
        )
    if what := irregular(path):
        raise ModelError(f"{path} is not read: it is {what}.")
    if not path.is_file():
        raise ModelError(f"There is no weight file {path}.", todo="Check the path after the colon.")


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state dict in a safetensors file, a PyTorch file, a training checkpoint or a TorchScript archive.

    Names lose what wrappers put before all of them (``module.`` of DDP, ``_orig_mod.`` of compiled models, ...).

    Raises:
        ModelError: missing, incomplete, damaged, something else than weights, or a pickle that holds more than tensors.
    """
    check_weight_file(path)
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
        start = file.read(2)
    return start == b"PK" or (start[:1] == b"\x80" and start[1:] in (b"\x02", b"\x03", b"\x04", b"\x05"))


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
    if not _is_pytorch(path):
        raise ModelError(
            f"{path} holds no weights of PyTorch, nor safetensors.",
            todo="Models in other forms (ONNX, TensorFlow, GGUF) have to be converted where they were made.",
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


def loading_problem(error: BaseException) -> str:
    """Why weights could not be put into a model: which of them are missing or unknown, else the first line."""
    said = str(error)
    told = []
    for kind, what in (("Missing", "misses"), ("Unexpected", "has unknown")):
        if found := re.search(kind + r" key\(s\) in state_dict: ([^\n]*)", said):
            names = re.findall(r'"([^"]+)"', found[1])
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            told.append(f"it {what} {', '.join(names[:SHOWN])}{more}")
    if sizes := re.findall(r"size mismatch for ([^:\s]+):", said):
        told.append(f"{sizes[0]} has another size" + (f", as have {len(sizes) - 1} more" if len(sizes) > 1 else ""))
    return ", ".join(told) or first_line(error)


def first_line(error: BaseException) -> str:
    """The first line of what an error says, without advice to run what a file holds."""
    lines = _lines(error)
    return (lines[0] if lines else type(error).__name__).rstrip(".:")[:300]


def last_line(error: BaseException) -> str:
    """The last line of what an error says, likewise."""
    lines = _lines(error)
    return lines[-1].rstrip(".:")[:300] if lines else type(error).__name__


def _lines(error: BaseException) -> list[str]:
    lines = (line.strip() for line in str(error).splitlines())
    return [line for line in lines if line and "weights_only" not in line]
