"""The kind of a file of features is told by its ending."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.runs.feature_kinds import feature_file
from dapt.runs.feature_parquet import ParquetFile
from dapt.runs.feature_safetensors import SafetensorsFile


def test_by_ending() -> None:
    assert isinstance(feature_file(Path("a.safetensors")), SafetensorsFile)
    pytest.importorskip("pyarrow")
    assert isinstance(feature_file(Path("a.b.parquet")), ParquetFile)


@pytest.mark.parametrize("name", ["a.npy", "a", "parquet", ".parquet"])
def test_others_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"ends neither in \.safetensors nor in \.parquet\.[\s\S]*Write "):
        feature_file(Path(name))


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"needs pyarrow[\s\S]*or write|needs pyarrow[\s\S]*Or write"):
        feature_file(Path("a.parquet"))
