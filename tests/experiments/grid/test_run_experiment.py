"""Experiments that are carried out: what is done is kept, what fails stops nothing, what may pass is tried again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dapt.errors import ConfigError, DaptError, DataError
from dapt.experiments.executors.base import (
    Event,
    Executor,
    Failed,
    Finished,
    Job,
    Progressed,
    Started,
    WorkerLostError,
)
from dapt.experiments.grid.experiment import Experiment, make_experiment
from dapt.experiments.grid.plan_table import print_plan
from dapt.experiments.grid.run_experiment import may_pass, plan_experiment, run_experiment
from dapt.experiments.grid.unfinished import UnfinishedError
from dapt.experiments.run_all import RESUME
from dapt.results import RunResults


class Pretend(Executor):
    """Ends every run as `outcome` says; trains nothing."""

    def __init__(self, outcome: Callable[[Job], Exception | float | BaseException]) -> None:
        self.outcome, self.jobs, self.begun, self.cancelled = outcome, [], [], False

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def events(self) -> Iterator[Event]:
        while self.jobs:
            job = self.jobs.pop(0)
            self.begun.append(job.name)
            yield Started(job)
            yield Progressed(job, 1)
            found = self.outcome(job)
            if isinstance(found, Exception):
                yield Failed(job, found)
            elif isinstance(found, BaseException):
                raise found
            else:
                about = {
                    "method": job.config.method,
                    "dapt": False,
                    "backbone": "b",
                    "data": "d",
                    "shots": 1,
                    "seed": 1,
                }
                yield Finished(job, RunResults(**about, metrics={"test/accuracy": found}))

    def cancel(self) -> None:
        self.cancelled = True


def experiment(table: Path, out: Path, **changes: Any) -> Experiment:
    tree = {"data": str(table), "model": "demo", "methods": ["coop", "maple"], "seeds": [1, 2], "epochs": 1}
    return make_experiment({**tree, "device": "cpu", "out": str(out), **changes}, "trial")


def record(out: Path) -> dict[str, Any]:
    return json.loads((out / "experiment.json").read_text())["cells"]


def test_all_cells_end_once_and_failures_are_noted(table: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    executor = Pretend(lambda job: DataError("no such photo") if job.config.seed == 2 else 50.0)
    with pytest.raises(UnfinishedError, match="Of 4 cells 2 failed; the other 2 are done") as caught:
        run_experiment(plan_experiment(experiment(table, out)), executor=executor)
    assert len(executor.begun) == 4
    assert caught.value.more == ("2 cells (table-coop-16shot-seed2, table-maple-16shot-seed2): no such photo",)
    told = capsys.readouterr().err
    assert told.count("no such photo") == 1, "one reason is told once while cells fail"
    assert "table-coop-16shot-seed2 failed: no such photo" in told
    assert "table-maple-16shot-seed2 failed as table-coop-16shot-seed2 did." in told
    assert told.index("failed: ") < told.index("maple-16shot-seed1: "), "as it happens"
    found = record(out)
    assert [(cell["status"], cell["tries"]) for cell in found.values()] == [("done", 1), ("failed", 1)] * 2
    done = next(iter(found.values()))
    assert done["metrics"] == {"run": {"test/accuracy": 50.0}}
    assert done["values"] == {"method": "coop", "seed": 1}
    assert "accuracy 50.00" in told


def test_what_decides_nothing_is_said_by_the_run(table: Path, tmp_path: Path, capsys) -> None:
    changed = experiment(table, tmp_path / "out", cues=["border", "patches"], exclude=[{"method": "ivlp"}])
    run_experiment(plan_experiment(changed), executor=Pretend(lambda job: 1.0))
    told = capsys.readouterr().err
    assert "An entry of 'exclude' fits nothing: {'method': 'ivlp'}." in told
    assert "'cue' decides nothing" in told


def test_a_protocol_that_fails_is_told_by_its_runs_and_in_the_end(table: Path, tmp_path: Path, capsys) -> None:
    inside = DaptError("1 of 2 runs failed; the others are kept.", more=["shots-2: no such photo"], todo=RESUME)
    changed = experiment(table, tmp_path / "out", methods="coop", seeds=1, protocol="few-shot")
    with pytest.raises(UnfinishedError) as caught:
        run_experiment(plan_experiment(changed), executor=Pretend(lambda job: inside))
    assert "failed" not in capsys.readouterr().err, "its runs have told it"
    assert caught.value.more == (
        "table-few-shot-coop-seed1: 1 of 2 runs failed; the others are kept. shots-2: no such photo",
    )


@pytest.mark.parametrize(("good_after", "retries", "tries"), [(1, 1, 2), (2, 2, 3), (5, 2, 3)])
def test_what_may_pass_is_tried_again(table: Path, tmp_path: Path, good_after: int, retries: int, tries: int) -> None:
    out = tmp_path / "out"
    executor: Pretend

    def outcome(job: Job) -> Exception | float:
        return 1.0 if job.config.seed == 1 or executor.begun.count(job.name) > good_after else WorkerLostError()

    executor = Pretend(outcome)
    planned = plan_experiment(experiment(table, out, methods="coop"))
    if good_after > retries:
        with pytest.raises(UnfinishedError, match="1 failed"):
            run_experiment(planned, executor=executor, retries=retries)
    else:
        run_experiment(planned, executor=executor, retries=retries)
    assert [cell["tries"] for cell in record(out).values()] == [1, tries]


def test_faults_of_dapt_are_raised_once_all_others_are_done(table: Path, tmp_path: Path) -> None:
    executor = Pretend(lambda job: ZeroDivisionError("ours") if job.config.seed == 1 else 1.0)
    with pytest.raises(ZeroDivisionError, match="ours"):
        run_experiment(plan_experiment(experiment(table, tmp_path / "out")), executor=executor)
    assert sorted(cell["status"] for cell in record(tmp_path / "out").values()) == ["done", "done", "failed", "failed"]


def test_an_interrupt_leaves_nothing_running(table: Path, tmp_path: Path) -> None:
    executor = Pretend(lambda job: KeyboardInterrupt() if job.config.seed == 2 else 1.0)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(plan_experiment(experiment(table, tmp_path / "out")), executor=executor)
    assert executor.cancelled
    assert [cell["status"] for cell in record(tmp_path / "out").values()] == ["done", "waiting", "waiting", "waiting"]


def test_contradictory_cells_are_explained_and_the_others_run(table: Path, tmp_path: Path, capsys) -> None:
    planned = plan_experiment(experiment(table, tmp_path / "out", methods=["zero_shot", "maple"], dapt=[False, True]))
    print_plan(planned)
    assert "6 cells with 6 runs are to be carried out, 0 are done." in capsys.readouterr().out
    with pytest.raises(
        UnfinishedError, match="Of 8 cells 2 cannot be run; the other 6 can be run or are done"
    ) as caught:
        planned.check()
    assert len(caught.value.more) == 1, "a reason is told once for all cells that it stops"
    assert caught.value.more[0].startswith("2 cells (")
    assert "zero_shot has no training steps" in caught.value.more[0]
    with pytest.raises(UnfinishedError, match="Of 8 cells 2 cannot be run; the other 6 are done"):
        run_experiment(planned, executor=Pretend(lambda job: 1.0))
    assert [cell["status"] for cell in record(tmp_path / "out").values()].count("contradictory") == 2


def test_data_that_is_not_there(table: Path, tmp_path: Path) -> None:
    planned = plan_experiment(experiment(table, tmp_path / "out", data=[str(table), str(tmp_path / "nowhere")]))
    assert len(planned.todo) == 4
    assert {str(error).partition(" at")[0] for error in planned.contradictory.values()} == {"There is no data"}


def test_folders_of_something_else(table: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"is no folder of an experiment\. It holds notes\.txt"):
        plan_experiment(experiment(table, tmp_path))


def test_damaged_record(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_experiment(plan_experiment(experiment(table, out)), executor=Pretend(lambda job: 1.0))
    (out / "experiment.json").write_text('{"schema": 2, "cells": 3}')
    with pytest.raises(ConfigError, match=r"experiment\.json is damaged"):
        plan_experiment(experiment(table, out))
    (out / "experiment.json").write_text('{"schema": 99, "cells": {}}')
    with pytest.raises(ConfigError, match="newer version"):
        plan_experiment(experiment(table, out))


def test_what_may_pass() -> None:
    assert may_pass(OSError(5, "input/output error"))
    assert may_pass(MemoryError())
    assert not may_pass(DataError("x"))
    assert not may_pass(ZeroDivisionError())
    assert not may_pass(None)


def test_done_cells_are_kept_and_changed_ones_told(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    """With real runs: the second time nothing is trained; other settings are refused until told to overwrite."""
    out = tmp_path / "out"
    how: dict[str, Any] = {"model": tiny_spec, "methods": ["zero_shot", "coop"], "seeds": 1, "shots": 1}
    run_experiment(plan_experiment(experiment(table, out, **how)))
    times = {path: path.stat().st_mtime_ns for path in out.rglob("results.json")}
    assert len(times) == 2
    again = plan_experiment(experiment(table, out, **how))
    assert (len(again.done), again.todo) == (2, [])
    run_experiment(again)
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob("results.json")}
    other = {**how, "epochs": 2, "methods": "coop"}
    refused = plan_experiment(experiment(table, out, **other))
    assert refused.todo == []
    with pytest.raises(UnfinishedError, match=r"Of 1 cell 1 holds another run\.") as caught:
        refused.check()
    assert "started with epochs=1, now it is 2" in caught.value.message
    assert "--overwrite makes those again" in caught.value.message
    with pytest.raises(UnfinishedError, match="holds another run"):
        run_experiment(refused)
    assert len(plan_experiment(experiment(table, out, **how)).done) == 2, "what was done stays done"
    (again,) = plan_experiment(experiment(table, out, **other), overwrite=True).todo
    assert again.job.overwrite
    run_experiment(plan_experiment(experiment(table, out, **other), overwrite=True))
    assert json.loads((out / "table-coop-1shot-seed1" / "results.json").read_text())["shots"] == 1
    assert record(out)["table-zero_shot-1shot-seed1"]["status"] == "done", "a cell that is not named now is kept"
