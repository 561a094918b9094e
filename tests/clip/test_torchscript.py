"""TorchScript archives: made by hand as torch writes them, and read without running anything."""

from __future__ import annotations

import io
import os
import pickle
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dapt.clip.torchscript import is_torchscript, read_torchscript
from dapt.errors import ModelError


class Storage:
    """Stands for the data of a tensor in the pickle."""

    def __init__(self, kind: str, key: str) -> None:
        self.kind, self.key = kind, key


class Raw:
    """A tensor as the archive describes it."""

    def __init__(self, storage: Storage, offset: Any, size: Any, stride: Any) -> None:
        self.parts = (storage, offset, size, stride, False, {})

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.parts


class Pickler(pickle.Pickler):
    def persistent_id(self, value: object) -> object:
        if isinstance(value, Storage):
            return ("storage", getattr(torch, value.kind), value.key, "cpu", 1)
        return None


class Module:
    """An object of a class that the archive defines."""

    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


Module.__module__ = "__torch__"


@pytest.fixture(autouse=True)
def of_the_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    """While archives are made, pickle has to find their class."""
    package = types.ModuleType("__torch__")
    package.Module = Module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "__torch__", package)


def archive(path: Path, root: Any, data: dict[str, np.ndarray[Any, Any]]) -> Path:
    """An archive with this root object and these storages."""
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(root)
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("model/data.pkl", buffer.getvalue())
        made.writestr("model/constants.pkl", pickle.dumps(()))
        for key, values in data.items():
            made.writestr(f"model/data/{key}", values.tobytes())
    return path


NUMBERS = np.arange(6, dtype="<f4")
KINDS = {
    "FloatStorage": ("<f4", torch.float32),
    "HalfStorage": ("<f2", torch.float16),
    "DoubleStorage": ("<f8", torch.float64),
    "LongStorage": ("<i8", torch.int64),
    "IntStorage": ("<i4", torch.int32),
    "BoolStorage": ("?", torch.bool),
}


@pytest.mark.parametrize("kind", KINDS)
def test_types_of_numbers(tmp_path: Path, kind: str) -> None:
    written, read = KINDS[kind]
    values = np.array([0, 1, 1, 0]).astype(written)
    path = archive(tmp_path / "x.pt", Module(w=Raw(Storage(kind, "0"), 0, (2, 2), (2, 1))), {"0": values})
    assert is_torchscript(path)
    found = read_torchscript(path)["w"]
    assert found.dtype == read
    assert found.tolist() == values.reshape(2, 2).tolist()


def test_names_offsets_and_strides(tmp_path: Path) -> None:
    storage = Storage("FloatStorage", "7")
    root = Module(
        scale=Raw(storage, 5, (), ()),
        training=True,
        visual=Module(turned=Raw(storage, 1, (2, 2), (1, 2)), inner=Module(empty=Raw(storage, 0, (0, 3), (3, 1)))),
    )
    found = read_torchscript(archive(tmp_path / "x.pt", root, {"7": NUMBERS}))
    assert set(found) == {"scale", "visual.turned", "visual.inner.empty"}
    assert found["scale"].item() == 5
    assert found["visual.turned"].tolist() == [[1, 3], [2, 4]]
    assert found["visual.inner.empty"].shape == (0, 3)


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [(0, (7,), (1,)), (3, (2, 2), (2, 1)), (0, (2,), (6,)), (-1, (1,), (1,)), (0, (-1,), (1,)), (5, (2,), (-1,))],
)
def test_tensors_that_are_not_in_their_data(tmp_path: Path, offset: int, size: Any, stride: Any) -> None:
    root = Module(w=Raw(Storage("FloatStorage", "0"), offset, size, stride))
    with pytest.raises(
        ModelError, match=r"cannot be read safely: a tensor (larger than its data|with a negative size)"
    ):
        read_torchscript(archive(tmp_path / "x.pt", root, {"0": NUMBERS}))


def test_code_is_refused_and_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    path = archive(tmp_path / "x.pt", Module(w=Evil()), {})
    with pytest.raises(ModelError, match=r"the archive asks for posix\.mkdir[\s\S]*Convert it where you trust it"):
        read_torchscript(path)
    assert not (tmp_path / "executed").exists()


def test_damaged_archives(tmp_path: Path) -> None:
    root = Module(w=Raw(Storage("FloatStorage", "0"), 0, (2,), (1,)))
    with pytest.raises(ModelError, match="cannot be read safely"):
        read_torchscript(archive(tmp_path / "x.pt", root, {}))  # its data is missing
    path = tmp_path / "y.pt"
    path.write_bytes((tmp_path / "x.pt").read_bytes()[:-30])
    with pytest.raises(ModelError, match="cannot be read safely"):
        read_torchscript(path)


@pytest.mark.parametrize("root", [3, "text", [1, 2], None, {"w": 1}])
def test_a_root_that_is_no_module(tmp_path: Path, root: Any) -> None:
    with pytest.raises(ModelError):
        read_torchscript(archive(tmp_path / "x.pt", root, {}))


def test_what_is_no_archive(tmp_path: Path) -> None:
    plain = tmp_path / "state.pt"
    torch.save({"w": torch.zeros(1)}, plain)
    assert not is_torchscript(plain)
    (tmp_path / "text.pt").write_text("hello")
    assert not is_torchscript(tmp_path / "text.pt")
    assert not is_torchscript(tmp_path / "no.pt")
