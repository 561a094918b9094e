"""Terms of DAPT that never act are told before anything is trained."""

from __future__ import annotations

from pathlib import Path

from dapt.experiments.grid.acting import never_acting
from dapt.experiments.grid.experiment import make_experiment
from dapt.experiments.grid.run_experiment import plan_experiment


def test_each_reason_once_with_its_cells(table: Path, tmp_path: Path) -> None:
    tree = {
        "data": str(table),
        "model": "demo",
        "device": "cpu",
        "methods": ["coop", "maple"],
        "dapt": [False, "phased"],
        "cues": ["none", "border"],
        "epochs": [1, 10],
    }
    told = never_acting(plan_experiment(make_experiment(tree, "trial", str(tmp_path / "out"))).todo)
    none = [sentence for sentence in told if "the cue none finds no foreground" in sentence]
    assert len(none) == 1
    assert none[0].startswith("DAPT in 4 cells (")
    assert [s for s in told if "L_v is left out: the image side is not trained by this method." in s], told
    short = [s for s in told if "never act: dapt.switch=0.7 puts the second phase after epoch 1 of 1" in s]
    assert [s.split(")")[0].count("maple+dapt-phased-border") for s in short] == [1], told


def test_without_dapt_nothing_is_told(table: Path, tmp_path: Path) -> None:
    tree = {"data": str(table), "model": "demo", "device": "cpu", "methods": ["coop"]}
    assert never_acting(plan_experiment(make_experiment(tree, "trial", str(tmp_path / "out"))).todo) == []
