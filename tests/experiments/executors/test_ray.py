"""A grid on a real Ray cluster of two raylets on this machine, one of them killed, the driver killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dapt.experiments.executors.base import EXECUTORS
from helpers import only_torture

pytest.importorskip("ray")

GRID = """
methods: [coop, maple]
data: {data}
model: {spec}
shots: 2
epochs: {epochs}
seeds: [1, 2]
device: cpu
include: [{{method: coop, n_ctx: 2}}, {{method: maple, depth: 2}}]
"""
NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


def test_by_name() -> None:
    executor = EXECUTORS.get("ray")()
    executor.cancel()
    assert list(executor.events()) == [], "without runs no cluster is looked for"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    try:
        yield made
    finally:
        made.shutdown()


def command(path: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "dapt", "run", str(path), "--out", str(out), *more]


def wait_for(pattern: str, folder: Path, count: int) -> None:
    deadline = time.monotonic() + 200
    while len(list(folder.glob(pattern))) < count and time.monotonic() < deadline:
        time.sleep(0.1)


def found_in(out: Path) -> dict[str, tuple[str, object, bytes]]:
    """Status, figures and prompts of every cell."""
    cells = json.loads((out / "experiment.json").read_text())["cells"]
    return {
        name: (cell["status"], cell["metrics"], (out / name / "prompts.safetensors").read_bytes())
        for name, cell in cells.items()
    }


@pytest.mark.slow
@pytest.mark.long
def test_a_node_and_the_driver_killed_and_the_bits_of_local(
    cluster: Any, table: Path, tiny_spec: str, tmp_path: Path
) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(GRID.format(data=table, spec=tiny_spec, epochs=20))
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    local, ray = tmp_path / "local", tmp_path / "ray"
    subprocess.run(command(path, local, "--jobs", "2", "-q"), check=True, env=env, capture_output=True)

    node = cluster.add_node(**NODE)
    on_ray = command(path, ray, "--ray", cluster.address)
    going = subprocess.Popen(on_ray, env=env, stderr=subprocess.DEVNULL)
    wait_for("*/last.ckpt", ray, 1)
    going.send_signal(signal.SIGKILL)
    going.wait()

    again = subprocess.Popen(on_ray, env=env, stderr=subprocess.PIPE, text=True)
    wait_for("*/run.yaml", ray, 3)
    cluster.remove_node(node, allow_graceful=False)
    _, error = again.communicate(timeout=300)
    assert again.returncode == 0, error
    assert "Traceback" not in error
    assert "(raylet)" not in error, "Ray's own lines are silenced"
    assert found_in(ray) == found_in(local)
    assert {status for status, _, _ in found_in(ray).values()} == {"done"}
    assert not list(ray.glob(".ray-*"))


@pytest.mark.slow
@pytest.mark.long
@only_torture
def test_a_cluster_that_does_not_fit(cluster: Any, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(GRID.format(data=table, spec=tiny_spec, epochs=0).replace("device: cpu", "device: cuda"))
    done = subprocess.run(
        command(path, tmp_path / "out", "--ray", cluster.address), check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "No node of the cluster has 1 processor core and 1 GPU" in done.stderr
    assert "Traceback" not in done.stderr
