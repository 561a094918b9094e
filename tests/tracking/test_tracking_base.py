"""Trackers of others: a plugin's file registers one, and a run tells it everything once."""

from __future__ import annotations

from pathlib import Path

from dapt.config import make_config
from dapt.runs.train import run_training
from helpers import run_with

PLUGIN = """
from pathlib import Path
from dapt.tracking.base import TRACKERS, Place, Tracker

@TRACKERS.register("lines_of_text")
class Lines(Tracker):
    def start(self, run):
        self.file = Path(run.config["out"] + ".txt")
        return Place(run.name, str(self.file))
    def log(self, figures, step):
        with self.file.open("a") as file:
            print(step, "loss" in figures, file=file)
    def finish(self, results, step):
        with self.file.open("a") as file:
            print("done", step, "test/accuracy" in results, file=file)
    def failed(self, error, *, interrupted):
        pass
"""


def test_a_plugin_brings_a_tracker(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    file = tmp_path / "lines_tracker.py"
    file.write_text(PLUGIN)
    settings = run_with(table, tiny_spec, tmp_path / "run", epochs=2)
    run_training(make_config({**settings, "plugins": [str(file)], "track": "lines_of_text"}))
    assert (tmp_path / "run.txt").read_text().splitlines() == ["1 True", "2 True", "done 2 True"]
