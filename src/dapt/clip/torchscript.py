"""Reading the weights out of a TorchScript archive without running anything in it.

OpenAI published CLIP as TorchScript archives. `torch.jit.load` would run code from the file; here the
archive's object table is read by an unpickler that knows tensors and nothing else, and every class the
archive defines becomes a plain bag of attributes.
"""

from __future__ import annotations

import collections
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dapt.clip.file_kinds import FETCH
from dapt.errors import ModelError

_STORAGES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "BoolStorage": np.dtype("?"),
}


class _Bag:
    """An object of a class defined inside the archive: its state and nothing it could do."""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)


def _tensor(storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
    if any(length < 0 for length in size) or any(step < 0 for step in stride) or offset < 0:
        raise pickle.UnpicklingError("a tensor with a negative size")
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True) if length)
    if size and 0 not in size and last >= storage.size:
        raise pickle.UnpicklingError("a tensor larger than its data")
    return torch.from_numpy(storage.copy()).as_strided(size, stride, offset).clone()


class _Reader(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self._archive = archive
        self._root = root

    def find_class(self, module: str, name: str) -> Any:
        if module == "__torch__" or module.startswith("__torch__."):
            return _Bag
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_: data
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch" and name in _STORAGES:
            return name
        if module == "torch.jit._pickle":
            return lambda data, *_: data
        raise pickle.UnpicklingError(f"the archive asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> np.ndarray[Any, Any]:
        kind, key = str(pid[1]), str(pid[2])
        raw = self._archive.read(f"{self._root}/data/{key}")
        values: np.ndarray[Any, Any] = np.frombuffer(raw, dtype=_STORAGES[kind])
        return values


def is_torchscript(path: Path) -> bool:
    """Whether the file is a TorchScript archive (a zip with code and constants in it).

    Raises:
        ModelError: it is an archive whose table of contents is damaged.
    """
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except Exception as error:  # a damaged table of contents can fail in any way
        raise ModelError(f"{path} is damaged: the table of contents at its end cannot be read.", todo=FETCH) from error


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """The parameters and buffers of the archive's root module, by dotted name.

    Raises:
        ModelError: the archive is damaged or holds anything but tensors and plain values.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = next(name for name in archive.namelist() if name.endswith("/data.pkl")).rsplit("/", 1)[0]
            found: dict[str, Tensor] = {}
            _collect(_Reader(archive, root).load(), "", found)
    except Exception as error:  # a hand-made pickle can fail in any way
        raise ModelError(
            f"{path} is a TorchScript archive that cannot be read safely: {error}.",
            todo="Convert it where you trust it: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt').",
        ) from error
    return found


def _collect(value: Any, prefix: str, found: dict[str, Tensor]) -> None:
    if not isinstance(value, _Bag):
        raise TypeError(f"a {type(value).__name__} stands where a module should")
    for name, part in vars(value).items():
        if isinstance(part, Tensor):
            found[prefix + name] = part
        elif isinstance(part, _Bag):
            _collect(part, f"{prefix}{name}.", found)
