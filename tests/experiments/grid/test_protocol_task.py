"""A protocol that an executor carries out: its rows, and that it is gone on with."""

from __future__ import annotations

from pathlib import Path

from dapt.experiments.executors.base import Finished
from dapt.experiments.executors.local import LocalExecutor
from dapt.experiments.grid.expand import expand
from dapt.experiments.grid.experiment import make_experiment
from dapt.experiments.grid.prepared import CellCheck
from dapt.experiments.grid.run_experiment import plan_experiment, run_experiment
from dapt.results import ProtocolResults


def test_all_points_of_a_protocol(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    tree = {
        **{"data": str(table), "model": tiny_spec, "method": "zero_shot", "device": "cpu"},
        **{"protocol": "few_shot", "over": {"few_shot": [1, 2]}},
    }
    experiment = make_experiment(tree, "x", str(tmp_path / "out"))
    record = run_experiment(plan_experiment(experiment)).records["table-few_shot-zero_shot-seed1"]
    assert list(record.metrics) == ["1 shots", "2 shots"]
    assert record.status == "done"
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("results.json")}
    assert len(times) == 2
    (cell,) = expand(experiment).cells
    executor = LocalExecutor()
    executor.submit(CellCheck(experiment.out)(cell).job)
    *_, last = executor.events()
    assert isinstance(last, Finished)
    assert isinstance(last.results, ProtocolResults)
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("results.json")}
