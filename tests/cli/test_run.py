"""`dapt run`: an experiment through the real command line, killed and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dapt.cli.app import run as run_cli

GRID = """
methods: [coop, maple]
data: {data}
model: {spec}
shots: 1
epochs: 1
seeds: [1, 2]
device: cpu
include: [{{method: coop, n_ctx: 2}}, {{method: maple, depth: 2}}]
"""


def write_grid(table: Path, spec: str, folder: Path, more: str = "") -> Path:
    path = folder / "grid.yaml"
    path.write_text(GRID.format(data=table, spec=spec) + more)
    return path


def cells(out: Path) -> dict[str, dict]:
    return json.loads((out / "experiment.json").read_text())["cells"]


def test_plan_then_run_then_nothing_left(table: Path, tiny_spec: str, tmp_path: Path, capsys) -> None:
    path = write_grid(table, tiny_spec, tmp_path, "exclude: {method: maple, seed: 2}\n")
    out = tmp_path / "out"
    assert run_cli(["run", str(path), "--dry-run", "--out", str(out)]) == 0
    assert "3 cells with 3 runs are to be carried out, 0 are done." in capsys.readouterr().out
    assert not out.exists()
    assert run_cli(["run", str(path), "--out", str(out), "-q"]) == 0
    assert [cell["status"] for cell in cells(out).values()] == ["done"] * 3
    assert run_cli(["run", str(path), "--dry-run", "--out", str(out)]) == 0
    assert "Nothing is to be carried out, 3 are done." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data: d\nmetods: [coop]\n", "Did you mean 'methods'"),
        ("data: d\nmethods: []\n", "is an empty list"),
        ("methods: [coop]\n", "No data was named"),
        ("- 1\n", "keys and values"),
        ("data: /nowhere\nmethods: [coop]\n", "cannot be run"),
    ],
)
def test_mistakes_in_the_file(tmp_path: Path, capsys, text: str, said: str) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(text)
    assert run_cli(["run", str(path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_no_file(tmp_path: Path, capsys) -> None:
    assert run_cli(["run", str(tmp_path / "none.yaml")]) == 2
    assert "Could not read the configuration" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.long
def test_killed_and_gone_on_with(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    """Every cell ends exactly once, with the figures of an experiment that nobody killed."""
    path = write_grid(table, tiny_spec, tmp_path)
    command = [sys.executable, "-m", "dapt", "run", str(path), "--jobs", "2", "--out"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*command, str(whole)], check=True, env=env, capture_output=True)
    going = subprocess.Popen([*command, str(killed)], env=env, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(killed.glob("*/results.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    going.send_signal(signal.SIGKILL)
    going.wait()
    finished = {path: path.stat().st_mtime_ns for path in killed.glob("*/results.json")}
    assert finished
    done = subprocess.run([*command, str(killed)], check=False, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in finished} == finished, "what was done is not done again"
    assert {name: cell["metrics"] for name, cell in cells(killed).items()} == {
        name: cell["metrics"] for name, cell in cells(whole).items()
    }
    assert [cell["status"] for cell in cells(killed).values()] == ["done"] * 4


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are found through /proc")
def test_a_killed_worker_costs_no_cell(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    path = write_grid(table, tiny_spec, tmp_path)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "dapt", "run", str(path), "--jobs", "2", "--out", str(out)]
    going = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while not list(out.glob("*/run.yaml")) and time.monotonic() < deadline:
        time.sleep(0.05)
    children = Path(f"/proc/{going.pid}/task/{going.pid}/children").read_text().split()
    workers = [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    assert workers
    os.kill(workers[0], signal.SIGKILL)
    _, error = going.communicate(timeout=600)
    assert going.returncode == 0, error
    assert [cell["status"] for cell in cells(out).values()] == ["done"] * 4
