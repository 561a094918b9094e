"""How long an experiment will take: steps by hand, and a trial of each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dapt.config import make_config
from dapt.experiments.grid.estimate import Cost, estimate, from_before, kind_of, measured, steps_of
from dapt.experiments.grid.experiment import make_experiment
from dapt.experiments.grid.experiment_folder import CellRecord
from dapt.experiments.grid.plan_table import print_plan
from dapt.experiments.grid.run_experiment import plan_experiment


def config(**changes: Any):
    return make_config({"data": "d", "method": "maple", "epochs": 5, "batch_size": 4, "shots": 2, **changes})


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({}, 5),  # 2 + 2 + 2 + 1 images: a batch of 4, and 3 left out
        ({"drop_last": False}, 5 * 2),
        ({"shots": 0}, 5 * 7),
        ({"subset": "base"}, 5),
        ({"epochs": 0}, 0),
        ({"shots": 0, "select": "random", "fraction": 0.5}, 5 * 3),
    ],
)
def test_steps(changes: dict[str, Any], steps: int) -> None:
    assert steps_of(config(**changes), (10, 10, 8, 1)) == steps


def test_kinds() -> None:
    same = kind_of(config())
    assert kind_of(config(seed=7, shots=16, epochs=9)) == same
    assert kind_of(config(method="coop")) != same
    assert kind_of(config(dapt=True)) != same


def test_seconds() -> None:
    assert Cost(fixed=10, step=0.5, size=1).seconds(config(drop_last=False), (2, 2)) == 10 + 0.5 * 5


def test_measured_and_said(table: Path, tiny_spec: str, tmp_path: Path, capsys) -> None:
    tree = {"data": str(table), "model": tiny_spec, "methods": ["zero_shot", "coop"], "seeds": [1, 2], "device": "cpu"}
    planned = plan_experiment(
        make_experiment({**tree, "epochs": 1000, "dapt": [False, True], "cue": "border"}, "x", str(tmp_path / "out"))
    )
    costs = measured(planned.todo)
    assert len(costs) == 3
    assert "never act" not in capsys.readouterr().err, "a trial of a few epochs is not what will be run"
    assert all(cost.fixed > 0 and cost.size > 1000 for cost in costs.values())
    found = estimate(planned.todo, costs)
    assert (found.known, found.unknown) == (6, 0)
    assert found.seconds > sum(cost.fixed for cost in costs.values()) * 2
    assert estimate(planned.todo, {}).unknown == 6
    print_plan(planned)
    assert "--measure takes a few steps" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_from_cells_that_are_done() -> None:
    records = [
        CellRecord(status="done", seconds=10),
        CellRecord(status="done", seconds=20),
        CellRecord(status="failed"),
    ]
    assert from_before(records) == 15
    assert from_before([CellRecord()]) is None
