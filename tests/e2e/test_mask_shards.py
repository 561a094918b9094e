"""`dapt masks` as several processes into one folder, one of them killed: nothing is lost, little is made twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers import make_folder

SLOW = '''
import time
import torch
from dapt.cues.base import CUES, Cue, CueReport

@CUES.register("slow")
class Slow(Cue):
    """The left half, slowly."""

    def prepare(self, items, model):
        time.sleep(0.3)
        self.report = CueReport()
        for item in items:
            self.report.scores[item.name] = 0.5
        return [self.report.add(item.name, torch.tensor([[True, False]])) for item in items]
'''


def start(*arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "dapt", "masks", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.long
def test_a_killed_shard_beside_another(tmp_path: Path) -> None:
    data, out, plugin = make_folder(tmp_path / "photos", per_class=80), tmp_path / "out", tmp_path / "slow_cue.py"
    plugin.write_text(SLOW)
    shared = [data, "--cue", "slow", "--plugin", plugin, "--out", out]
    killed, other = (start(*shared, "--shard", f"{number}/2") for number in (1, 2))
    deadline = time.monotonic() + 200
    part = out / ".parts" / "1-of-2"
    while len(list(part.glob("0*.json"))) < 3:  # the masks of its first two chunks are there, then
        assert time.monotonic() < deadline
        assert killed.poll() is None, killed.communicate()[0]
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    told = other.communicate(timeout=200)[0]
    assert other.returncode == 0, told
    assert "masks are still missing, by --shard: 1/2 (" in told  # so many as there were when it ended
    masks = list(out.rglob("*.png"))
    total = len(list(data.rglob("*.png")))
    assert len(masks) >= 100, "two chunks were made before the kill"
    assert len(masks) < total
    before = {path: path.stat().st_mtime_ns for path in masks}
    again = start(*shared, "--shard", "1/2")
    told = again.communicate(timeout=200)[0]
    assert again.returncode == 0, told
    assert f"All 2 shards are there: {total} masks" in told
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items()), "none was made twice"
    tree = json.loads((out / "masks.json").read_text())
    assert len(tree["masks"]) == tree["images"] == total
    assert all(entry["score"] == 0.5 for entry in tree["masks"].values())
    assert not (out / ".parts").exists()
    assert not list(out.rglob(".*.part"))
