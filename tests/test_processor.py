"""The processor's name and instruction sets, from what Linux tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt import processor
from dapt.processor import is_x86, processor_name, vector_instructions

INFO = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Some Processor: fast @ 2.70GHz
flags\t\t: fpu avx2 avx512f fma sse4_1 amx_tile avx2 lm

processor\t: 1
model name\t: Another
"""


def test_the_first_core_speaks_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text(INFO)
    monkeypatch.setattr(processor, "INFO", tmp_path / "cpuinfo")
    assert processor_name() == "Some Processor: fast @ 2.70GHz"
    assert vector_instructions() == ("amx_tile", "avx2", "avx512f", "fma", "sse4_1")


def test_where_the_system_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "INFO", tmp_path / "none")
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "AMD64")
    assert processor_name() == "AMD64"
    assert vector_instructions() == ()
    assert is_x86()
