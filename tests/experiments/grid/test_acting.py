"""Terms of DAPT that never act are told before anything is trained."""

from __future__ import annotations

from dataclasses import replace
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


def test_prompts_deeper_than_the_bundled_model(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    """It has ten layers, and these methods go for the twelve of ViT-B/16."""
    tree = {"data": str(table), "model": tiny_spec, "device": "cpu", "dapt": "released", "cue": "border", "epochs": 1}
    cells = {"methods": ["vpt", "ivlp"], "prompt.depth": [1, 2]}
    planned = plan_experiment(make_experiment({**tree, **cells}, "trial", str(tmp_path / "out")))
    depths: dict[str, dict[str, int]] = {"vpt": {}, "ivlp": {"depth": 12, "depth_vision": 12}}
    deeper = [
        replace(each, runs=tuple(run.model_copy(update={"prompt": depths[run.method]}) for run in each.runs))
        for each in planned.todo
    ]
    told = never_acting(deeper)
    for method in depths:
        assert [sentence for sentence in told if f"{method}+dapt" in sentence], told
