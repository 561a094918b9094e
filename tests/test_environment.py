"""Facts about the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dapt import environment
from dapt.environment import cores, describe, memory_mb, peak_memory_mb


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no processor affinity")
def test_cores_are_those_this_process_may_use() -> None:
    code = (
        "import os; from dapt.environment import cores;"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(cores())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_a_containers_limits_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free, memory = cores(), memory_mb()
    monkeypatch.setattr(environment, "CONTAINER_LIMITS", tmp_path)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert cores() >= free
    assert memory is None or (memory_mb() or 0) >= memory
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "memory.max").write_text(f"{512 * 2**20}\n")
    assert cores() == 1
    assert memory_mb() == 512
    (tmp_path / "cpu.max").write_text("20000 100000\n")
    assert cores() == 1


def test_what_is_recorded() -> None:
    facts = describe("cpu")
    assert facts["cpu_count"] == cores() >= 1
    assert facts["device"] == "cpu"
    assert facts["torch"]


def test_a_card_with_a_number_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    megabytes = {"cuda:0": 1, "cuda:1": 3}
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device=None: megabytes[device or "cuda:0"] * 2**20)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: f"card of {device or 'cuda:0'}")
    assert peak_memory_mb("cuda:1") == 3
    assert describe("cuda:1")["gpu"] == "card of cuda:1"
