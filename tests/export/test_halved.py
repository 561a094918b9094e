"""float16: smaller, near, and opened by another process first, because onnxruntime may die of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dapt.errors import NotSupportedError
from dapt.export import halved
from dapt.export.halved import halve
from dapt.export.onnx_file import OnnxFile


def test_float16(onnx_file: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.onnx"
    halve(onnx_file, half)
    assert half.stat().st_size < 0.9 * onnx_file.stat().st_size
    given = np.random.default_rng(0).integers(0, 256, (2, 48, 40, 3), dtype=np.uint8)
    assert 0 < np.abs(OnnxFile(half)(given) - OnnxFile(onnx_file)(given)).max() < 0.01


def test_a_file_of_which_onnxruntime_dies(onnx_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        halved, "subprocess", SimpleNamespace(run=lambda *given, **how: SimpleNamespace(returncode=-11))
    )
    with pytest.raises(NotSupportedError, match="cannot open this model in float16"):
        halve(onnx_file, tmp_path / "half.onnx")
    assert subprocess.run is not None
