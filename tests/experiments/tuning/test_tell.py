"""What is said of a search in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.experiments.tuning.study import DONE, FAILED, PRUNED, Study, Trial
from dapt.experiments.tuning.tell import command, print_study
from dapt.methods.search import Range, Space

pytest.importorskip("optuna")
SPACE: Space = {"lr": Range(0.1, 1.0)}


def test_the_best_trials_and_the_command(tmp_path: Path, capsys) -> None:
    study = Study(tmp_path, {}, SPACE)
    study.trials = [
        Trial(0, {"lr": 0.125}, DONE, 50.0),
        Trial(1, {"lr": 0.25}, DONE, 75.0),
        Trial(2, {"lr": 0.5}, PRUNED),
        Trial(3, {"lr": 0.75}, FAILED, error="no memory"),
    ]
    print_study(study, Path("runs/a b"))
    said = capsys.readouterr()
    assert said.out.index("75.00") < said.out.index("50.00")
    assert "2 done, 1 given up early, 1 failed" in said.out
    assert "told from 8 finished trials" in said.out
    assert "1 trial failed" in said.err
    assert command(study, Path("runs/a b")) == "dapt train --config 'runs/a b/best.yaml' --out 'runs/a b/best-0002'"
    assert "'runs/a b/best-0002'" in said.out
