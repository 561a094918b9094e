"""The plan of an experiment as a table."""

from __future__ import annotations

from pathlib import Path

from dapt.experiments.grid.experiment import make_experiment
from dapt.experiments.grid.plan_table import print_plan
from dapt.experiments.grid.run_experiment import plan_experiment


def test_everything_that_is_left_out_is_said(table: Path, tmp_path: Path, capsys) -> None:
    tree = {
        "data": str(table),
        "model": "demo",
        "device": "cpu",
        "methods": ["coop", "maple"],
        "dapt": [False, True],
        "cues": ["masks", "border"],
        "seeds": list(range(1, 21)),
        "exclude": [{"method": "coop", "dapt": True}, {"method": "ivlp"}],
    }
    print_plan(plan_experiment(make_experiment(tree, "trial", str(tmp_path / "out"))))
    shown = " ".join(capsys.readouterr().out.split())
    assert "trial: 80 cells in" in shown
    assert "and 40 more cells" in shown
    assert "80 cells with 80 runs are to be carried out, 0 are done." in shown
    assert "40 combinations excluded." in shown
    assert "40 combinations the same as another one" in shown
    assert "An entry of 'exclude' fits nothing: {'method': 'ivlp'}." in shown
    assert not (tmp_path / "out").exists()
