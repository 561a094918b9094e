"""Carrying out a run, and counting its epochs from its folder."""

from __future__ import annotations

from pathlib import Path

from dapt.config import make_config
from dapt.experiments.executors.base import Job
from dapt.experiments.executors.carry_out import carry_out, epochs_in
from dapt.results import ProtocolResults


def test_epochs_of_a_run_and_of_all_runs_of_a_protocol(tmp_path: Path) -> None:
    config = make_config({"data": "/d", "out": str(tmp_path)})
    assert epochs_in(Job("a", config)) == 0
    (tmp_path / "metrics.jsonl").write_text("{}\n{}\n")
    for name, lines in (("one", 1), ("two", 3)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.jsonl").write_text("{}\n" * lines)
    assert epochs_in(Job("a", config)) == 2
    assert epochs_in(Job("a", config, protocol="few_shot")) == 4


def test_a_protocol_is_carried_out_by_its_task() -> None:
    def task(job: Job) -> ProtocolResults:
        return job  # type: ignore[return-value]

    job = Job("a", make_config({"data": "/d"}), task=task)
    assert carry_out(job) is job
