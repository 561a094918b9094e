"""`dapt run --ray` and `--slurm` as they are used: stores, interrupts, nodes without the data, no cluster at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers import only_torture

GRID = """
methods: [coop, maple]
data: {data}
model: {spec}
shots: 2
epochs: {epochs}
device: cpu
include: [{{method: coop, n_ctx: 2}}, {{method: maple, depth: 2}}]
"""
ENV = {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}


def command(path: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "dapt", "run", str(path), *more]


def run(path: Path, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(path, *more), check=False, capture_output=True, text=True, env={**os.environ, **ENV, **env}
    )


@pytest.fixture
def grid(table: Path, tiny_spec: str, tmp_path: Path) -> Path:
    path = tmp_path / "grid.yaml"
    path.write_text(GRID.format(data=table, spec=tiny_spec, epochs=1))
    return path


def test_a_cluster_that_is_not_there(grid: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    begun = time.monotonic()
    done = run(grid, "--out", str(tmp_path / "out"), "--ray", "auto", RAY_ADDRESS="127.0.0.1:1")
    assert time.monotonic() - begun < 20
    assert done.returncode == 2
    assert re.match(r"error: No Ray cluster answers at \S+:1: Connection refused\.\n", done.stderr)
    assert not (tmp_path / "out").exists()


def test_a_store_that_ends_with_the_command(grid: Path) -> None:
    done = run(grid, "--out", "memory://runs")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "error: memory://runs ends with this command, and its results.",
    )


@pytest.mark.slow
@pytest.mark.long
def test_a_store_and_the_same_command_again(grid: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    pytest.importorskip("fsspec")
    store, home = tmp_path / "store", str(tmp_path / "cache")
    first = run(grid, "--out", f"file://{store}", "--ray", "local", XDG_CACHE_HOME=home)
    assert first.returncode == 0, first.stderr
    cells = json.loads((store / "experiment.json").read_text())["cells"]
    assert {cell["status"] for cell in cells.values()} == {"done"}
    results = {name: (store / name / "results.json").stat().st_mtime_ns for name in cells}
    assert len(results) == 2
    again = run(grid, "--out", f"file://{store}", XDG_CACHE_HOME=home)
    assert again.returncode == 0, again.stderr
    assert "all 2 cells are done" in again.stderr
    cells = json.loads((store / "experiment.json").read_text())["cells"]
    assert {cell["tries"] for cell in cells.values()} == {1}
    assert {name: (store / name / "results.json").stat().st_mtime_ns for name in cells} == results


@pytest.mark.slow
@pytest.mark.long
@only_torture
def test_an_interrupt_keeps_what_there_is(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    path, out = tmp_path / "grid.yaml", tmp_path / "out"
    path.write_text(GRID.format(data=table, spec=tiny_spec, epochs=2000))
    going = subprocess.Popen(
        command(path, "--out", str(out), "--ray", "local"),
        env={**os.environ, **ENV},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list(out.glob("*/last.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(going.pid, signal.SIGINT)  # as a terminal does: Ray's processes get it, too
    try:
        _, error = going.communicate(timeout=60)
    finally:
        if going.poll() is None:
            os.killpg(going.pid, signal.SIGKILL)
    assert going.returncode == 130
    assert "what was finished is saved: give the same command again" in error
    assert "Traceback" not in error
    assert list(out.glob("*/last.ckpt"))
    cells = json.loads((out / "experiment.json").read_text())["cells"]
    assert {cell["status"] for cell in cells.values()} == {"waiting"}
    assert not list(out.glob(".ray-*"))


@pytest.mark.slow
@pytest.mark.long
@only_torture
def test_jobs_of_slurm_are_carried_out_once(grid: Path, tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    options = ["--out", str(tmp_path / "out"), "--slurm", "cluster=local"]
    first = run(grid, *options)
    assert first.returncode == 0, first.stderr
    again = run(grid, *options)
    assert again.returncode == 0, again.stderr
    cells = json.loads((tmp_path / "out" / "experiment.json").read_text())["cells"]
    assert [(cell["status"], cell["tries"]) for cell in cells.values()] == [("done", 1)] * 2


@pytest.mark.slow
@pytest.mark.long
def test_a_node_without_the_data(table: Path, grid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("a node with other files needs a mount namespace, which is not allowed here")
    from ray.cluster_utils import Cluster

    out = tmp_path / "out"
    store = 80 * 2**20
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": store, "include_dashboard": False},
    )
    start = [str(Path(sys.executable).with_name("ray")), "start", f"--address={cluster.address}", "--num-cpus=1"]
    start += [f"--object-store-memory={store}", "--block"]
    script = 'mount -t tmpfs none "$0" && exec "$@"'
    other = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", script, str(table.parent), *start],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while sum(node["Alive"] for node in cluster.global_state.node_table()) < 2 and time.monotonic() < deadline:
            time.sleep(0.5)
        done = run(grid, "--out", str(out), "--ray", cluster.address)
    finally:
        os.killpg(other.pid, signal.SIGTERM)
        try:
            other.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(other.pid, signal.SIGKILL)
        cluster.shutdown()
    assert done.returncode == 0, done.stderr
    assert "Ray: 2 nodes, 2 cores" in done.stderr
    told = rf"Node \S+ \(\w{{8}}\) does not have {table}: the runs that read it go to other nodes"
    assert len(re.findall(told, done.stderr)) == 1, done.stderr
    cells = json.loads((out / "experiment.json").read_text())["cells"]
    assert [(cell["status"], cell["tries"]) for cell in cells.values()] == [("done", 1)] * 2
