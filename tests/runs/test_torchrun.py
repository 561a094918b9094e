"""Runs that torchrun starts: the same prompts as --devices, and one voice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.processes import tells_mistakes
from dapt.runs.torchrun import processes, processes_here, refuse_torchrun, with_processes
from helpers import only_torture


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TORCHELASTIC_RUN_ID", "none"), ("WORLD_SIZE", "4"), ("LOCAL_WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)


def test_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "8")  # of something else, as Slurm sets it
    assert processes() == processes_here() == 1
    refuse_torchrun("dapt run")
    assert tells_mistakes()


@pytest.mark.usefixtures("started")
def test_each_process_is_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (processes(), processes_here()) == (4, 2)
    assert with_processes(make_config({"data": "x"})).devices == 4
    assert with_processes(make_config({"data": "x", "devices": 4, "batch_size": 4})).devices == 4
    with pytest.raises(ConfigError, match="--devices 2 was asked for, and torchrun has started 4"):
        with_processes(make_config({"data": "x", "devices": 2}))
    with pytest.raises(ConfigError, match="torchrun has started 4 processes of dapt run"):
        refuse_torchrun("dapt run")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not tells_mistakes()


ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def with_torchrun(*words: object) -> list[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "dapt"]
    return [*start, *map(str, words)]


def torchrun(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        with_torchrun(*words), env=ONE_THREAD, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.long
@only_torture
def test_the_prompts_of_devices_and_one_voice(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    common = ["train", table, "--model", tiny_spec, "--method", "maple", "--depth", 2, "--shots", 2, "--epochs", 2]
    common += ["--device", "cpu", "--dapt", "--cue", "masks", "--seed", 3]
    done = torchrun(*common, "--out", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("accuracy") + done.stdout.count("accuracy") >= 1
    plain = [sys.executable, "-m", "dapt", *map(str, common), "--devices", "2", "--out", str(tmp_path / "b")]
    subprocess.run(plain, check=True, env=ONE_THREAD, capture_output=True)
    one, two = ((tmp_path / name / "prompts.safetensors").read_bytes() for name in ("a", "b"))
    assert one == two
    again = torchrun(*common, "--out", tmp_path / "a", "--resume")
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("is finished already") + again.stdout.count("is finished already") == 1


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/environ").is_file(), reason="processes are found through /proc")
def test_each_is_killed_once_and_the_run_goes_on(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    """The other does not wait for it for ever, and what goes on are the bits of a run that nobody killed."""
    common = ["train", table, "--model", tiny_spec, "--method", "maple", "--depth", 2, "--shots", 4, "--epochs", 60]
    common += ["--device", "cpu", "--seed", 3, "--batch-size", 2, "-q"]
    plain = [sys.executable, "-m", "dapt", *map(str, common), "--devices", "2", "--out", str(tmp_path / "whole")]
    subprocess.run(plain, check=True, env=ONE_THREAD, capture_output=True)

    out = tmp_path / "killed"
    state = out / "last.ckpt"
    for rank in (0, 1):
        before = state.read_bytes() if rank else b""
        going = subprocess.Popen(
            with_torchrun(*common, "--out", out, "--resume"), env=ONE_THREAD, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while not (state.is_file() and state.read_bytes() != before) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(child_of(going.pid, rank), signal.SIGKILL)
        assert going.wait(timeout=120) != 0
        assert not (out / "results.json").exists(), "killed in the middle"

    done = torchrun(*common, "--out", out, "--resume")
    assert done.returncode == 0, done.stderr
    whole, resumed = ((tmp_path / name / "prompts.safetensors").read_bytes() for name in ("whole", "killed"))
    assert resumed == whole


def child_of(parent: int, rank: int) -> int:
    """The process of a rank that torchrun has started."""
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        if f"LOCAL_RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    raise AssertionError(f"torchrun has no process of rank {rank}")


@pytest.mark.long
def test_a_mistake_is_told_once_and_nobody_waits(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    common = ["train", table, "--model", tiny_spec, "--device", "cpu", "--out", tmp_path / "a"]
    late = torchrun(*common, "--method", "maple", "--depth", 2, "--shots", 2, "--batch-size", 3)
    assert late.returncode != 0
    assert late.stderr.count("cannot be divided") == 1
    early = torchrun(*common, "--method", "mapel")
    assert early.returncode != 0
    assert early.stderr.count("error: ") == 1
    protocol = torchrun(*common, "--protocol", "base_to_novel")
    assert protocol.stderr.count("torchrun has started 2 processes") == 1
