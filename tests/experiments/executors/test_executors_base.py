"""What an executor promises, kept by one that trains nothing; and how executors are found by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.experiments.executors.base import EXECUTORS, Event, Executor, Failed, Finished, Job, Started
from dapt.experiments.executors.local import LocalExecutor
from dapt.results import RunResults


class Pretend(Executor):
    """Every run but those on ``/nowhere`` gets as many percent as it has shots."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def events(self) -> Iterator[Event]:
        while self.jobs:
            job = self.jobs.pop(0)
            yield Started(job)
            if job.config.data == "/nowhere":
                yield Failed(job, OSError("nowhere"))
                continue
            about = {"method": "m", "dapt": False, "backbone": "b", "data": "d", "shots": job.config.shots, "seed": 1}
            yield Finished(
                job,
                RunResults(
                    **about, metrics={"test/accuracy": float(job.config.shots)}, timing={"training_seconds": 1.0}
                ),
            )

    def cancel(self) -> None:
        self.jobs.clear()


def test_runs_go_through_any_executor() -> None:
    from dapt.experiments.run_all import run_all

    runs = {str(shots): make_config({"data": "/d", "shots": shots, "out": f"/out/{shots}"}) for shots in (3, 5)}
    runs["bad"] = make_config({"data": "/nowhere", "out": "/out/bad"})
    executor = Pretend()
    outcome = run_all(runs, label="pretending", executor=executor)
    assert {name: found.metrics["test/accuracy"] for name, found in outcome.results.items()} == {"3": 3.0, "5": 5.0}
    assert list(outcome.failed) == ["bad"]
    assert executor.jobs == []


def test_a_job_is_not_changed_on_its_way() -> None:
    job = Job("a", make_config({"data": "/d"}))
    assert (job.overwrite, job.within) == (False, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        job.name = "b"
    assert Started(job) == Started(Job("a", job.config))


def test_all_that_is_promised_has_to_be_there() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Executor()


def test_by_name() -> None:
    assert EXECUTORS.get("local") is LocalExecutor
    with pytest.raises(ConfigError, match="There is no executor 'locl'"):
        EXECUTORS.get("locl")
