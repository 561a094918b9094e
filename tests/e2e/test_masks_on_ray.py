"""`dapt masks --ray` on a real cluster of two nodes on this machine, one of whose processes is killed in mid-run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import make_folder, only_torture

PATIENCE_S = 600  # of a machine that has other things to do; alone it takes half a minute
SLOW = '''
import os, time
from pathlib import Path
import torch
from dapt.cues.base import CUES, Cue, CueReport

@CUES.register("slow_left")
class SlowLeft(Cue):
    """The left half, slowly; notes which process made which images."""

    def prepare(self, items, model):
        with open(Path({notes!r}) / str(os.getpid()), "a") as file:
            print(*[item.name for item in items], file=file)
        time.sleep({seconds})
        self.report = CueReport()
        for item in items:
            self.report.scores[item.name] = 0.5
        return [self.report.add(item.name, torch.tensor([[True, False]])) for item in items]
'''


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two nodes with a core each; only what is started here is stopped."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    place = tempfile.mkdtemp(prefix="dr")  # sockets lie in it, whose paths may have 107 letters
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False, "temp_dir": place})
    try:
        cluster.add_node(**node)
        yield cluster.address
    finally:
        cluster.shutdown()
        shutil.rmtree(place, ignore_errors=True)


def start(*arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "dapt", "masks", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.mark.long
@only_torture
def test_a_worker_is_killed_and_nothing_is_missing(address: str, tmp_path: Path) -> None:
    data, plugin, notes = make_folder(tmp_path / "photos", per_class=30), tmp_path / "slow_left.py", tmp_path / "notes"
    notes.mkdir()
    plugin.write_text(SLOW.format(notes=str(notes), seconds=1.5))
    shared = [data, "--cue", "slow_left", "--plugin", plugin]
    running = start(*shared, "--out", tmp_path / "there", "--ray", address)
    deadline = time.monotonic() + PATIENCE_S
    while not (made := [path for path in notes.iterdir() if path.read_text()]):
        assert time.monotonic() < deadline
        assert running.poll() is None, running.communicate()[0]
        time.sleep(0.02)
    victim = int(made[0].name)
    time.sleep(0.3)  # it is in the middle of a chunk
    os.kill(victim, signal.SIGKILL)
    told = running.communicate(timeout=PATIENCE_S)[0]
    assert running.returncode == 0, told
    asked = [name for path in notes.iterdir() for name in path.read_text().split()]
    assert len(asked) > len(set(asked)) == 120, "the chunk of the one that was killed was made by another one"
    for path in notes.iterdir():
        path.unlink()
    here = start(*shared, "--out", tmp_path / "here")
    assert here.wait(PATIENCE_S) == 0, here.communicate()[0]
    files = content(tmp_path / "here")
    assert len([name for name in files if name.endswith(".png")]) == 120
    assert content(tmp_path / "there") == files
    # what is there is not made again
    again = start(*shared, "--out", tmp_path / "there", "--ray", address)
    told = again.communicate(timeout=PATIENCE_S)[0]
    assert again.returncode == 0, told
    assert "120 of 120 masks exist already and are kept" in told
    assert content(tmp_path / "there") == files


@pytest.mark.long
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    data = make_folder(tmp_path / "photos", per_class=2)
    command = start(data, "--out", tmp_path / "m", "--ray", "127.0.0.1:9")
    told = command.communicate(timeout=60)[0]
    assert command.returncode == 2
    assert "No Ray cluster answers at 127.0.0.1:9" in told
    assert "Traceback" not in told
    assert not (tmp_path / "m").exists()
