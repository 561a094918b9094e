"""Runs as jobs of submitit, tried with its executor for this machine: there is no Slurm here."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError, DataError
from dapt.experiments.executors.base import Failed, Finished, Job, Started, WorkerLostError
from dapt.experiments.executors.slurm import SlurmExecutor, _outcome, parameters_of
from helpers import run_with

pytest.importorskip("submitit")


def test_parameters() -> None:
    given = ["partition=gpu", "timeout_min=60", "mem_gb=7.5", "slurm_qos=x", "cluster=local", "exclude=n1"]
    assert parameters_of(given) == {
        "slurm_partition": "gpu",
        "timeout_min": 60,
        "mem_gb": 7.5,
        "slurm_qos": "x",
        "cluster": "local",
        "slurm_exclude": "n1",
    }


@pytest.mark.parametrize(
    ("text", "said"), [("partition", "KEY=VALUE"), ("partion=a", "'partition'"), ("timeout_min=soon", "no number")]
)
def test_mistakes(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parameters_of([text])


def test_no_slurm_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    executor = SlurmExecutor(tmp_path / "slurm")
    executor.submit(Job("a", make_config({"data": "/d", "device": "cpu"})))
    with pytest.raises(ConfigError, match="cannot be made here"):
        list(executor.events())


def test_a_job_without_a_result_was_lost(tmp_path: Path) -> None:
    class Task:
        job_id, state = "7", "PREEMPTED"

        class paths:  # noqa: N801
            stderr = "log"

        def result(self) -> None:
            raise RuntimeError("no pickle")

    event = _outcome(Job("a", make_config({"data": "/d"})), Task())
    assert isinstance(event, Failed)
    assert isinstance(event.error, WorkerLostError)
    assert "Slurm job 7 ended without a result (state PREEMPTED; log log; no pickle)" in event.error.what


@pytest.mark.slow
@pytest.mark.long
def test_jobs_end_each_in_its_own_way(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    executor = SlurmExecutor(tmp_path / "slurm", {"cluster": "local", "timeout_min": 5})
    for name, data in (("good", table), ("bad", tmp_path / "none.csv")):
        executor.submit(Job(name, make_config(run_with(data, tiny_spec, tmp_path / name, epochs=0))))
    events = list(executor.events())
    assert {event.job.name for event in events if isinstance(event, Started)} == {"good", "bad"}
    ends = {event.job.name: event for event in events if isinstance(event, Finished | Failed)}
    assert isinstance(ends["good"], Finished)
    assert isinstance(ends["bad"].error, DataError)
