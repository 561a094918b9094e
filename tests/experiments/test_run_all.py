"""Several runs: the same figures side by side as one after the other, and one that fails stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dapt.config import RunConfig, make_config
from dapt.errors import DaptError, DataError
from dapt.experiments.executors.base import Event, Executor, Finished, Job, Progressed, Started
from dapt.experiments.run_all import run_all
from dapt.results import RunResults


def configs(table: Path, out: Path, seeds: int = 2) -> dict[str, RunConfig]:
    common = {"data": str(table), "model": "demo", "depth": 2, "epochs": 1, "shots": 2, "device": "cpu"}
    return {
        f"seed{seed}": make_config({**common, "seed": seed, "out": str(out / f"seed{seed}")})
        for seed in range(1, seeds + 1)
    }


@pytest.mark.slow
@pytest.mark.long
def test_side_by_side_equals_one_after_the_other(table: Path, tmp_path: Path, capfd) -> None:
    both = run_all(configs(table, tmp_path / "both"), jobs=2, label="training").whole()
    single = run_all(configs(table, tmp_path / "single"), jobs=1, label="training").whole()
    assert set(both) == {"seed1", "seed2"}
    for name in both:
        for metric, value in single[name]["metrics"].items():
            assert both[name]["metrics"][metric] == (None if value is None else pytest.approx(value, abs=0.01))
    assert "seed2: test/accuracy" in capfd.readouterr().err
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "both").rglob("results.json")}
    run_all(configs(table, tmp_path / "both"), jobs=1, label="training")
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "both").rglob("results.json")}


def broken(table: Path, out: Path, which: str = "seed1") -> dict[str, RunConfig]:
    """Two runs, the data of one of which is not there."""
    found = configs(table, out)
    found[which] = found[which].model_copy(update={"data": str(out / "nowhere.csv")})
    return found


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=(pytest.mark.slow, pytest.mark.long))])
def test_a_run_that_fails_is_told_and_the_others_go_on(table: Path, tmp_path: Path, jobs: int, capsys) -> None:
    outcome = run_all(broken(table, tmp_path), jobs=jobs, label="training")
    assert set(outcome.results) == {"seed2"}
    assert outcome.results["seed2"].metrics["test/accuracy"] is not None
    assert "nowhere" in str(outcome.failed["seed1"])
    assert "seed1 failed: There is no data at" in capsys.readouterr().err
    with pytest.raises(DaptError, match="1 of 2 runs failed") as caught:
        outcome.whole()
    assert caught.value.more[0].startswith("seed1: ")


def test_one_error_of_all_is_raised_as_it_is(table: Path, tmp_path: Path) -> None:
    wrong = {key: run.model_copy(update={"data": "/nowhere.csv"}) for key, run in configs(table, tmp_path).items()}
    with pytest.raises(DataError, match="nowhere"):
        run_all(wrong, label="training").whole()


class Scripted(Executor):
    """Tells what it was given, as a cluster would: interleaved, and out of order."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.jobs: list[Job] = []
        self.fault = fault
        self.cancelled = False

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def events(self) -> Iterator[Event]:
        first, second = self.jobs
        yield from map(Started, self.jobs)
        yield Progressed(second, 1)
        if self.fault is not None:
            raise self.fault
        about = {"method": "maple", "dapt": False, "backbone": "demo", "data": "x", "shots": 1}
        timing = {"training_seconds": 1.0} if self.fault is None else {}
        for seed, job in ((2, second), (1, first)):
            yield Finished(job, RunResults(**about, seed=seed, metrics={"test/accuracy": 50.0}, timing=timing))

    def cancel(self) -> None:
        self.cancelled = True


def test_any_executor_will_do(table: Path, tmp_path: Path) -> None:
    executor = Scripted()
    found = run_all(configs(table, tmp_path), label="training", executor=executor, overwrite=True).whole()
    assert {name: results.seed for name, results in found.items()} == {"seed1": 1, "seed2": 2}
    assert all(job.overwrite for job in executor.jobs)
    assert not executor.cancelled


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), DaptError("The cluster is gone.")])
def test_an_interrupt_cancels_the_executor(table: Path, tmp_path: Path, fault: BaseException) -> None:
    executor = Scripted(fault)
    with pytest.raises(type(fault)):
        run_all(configs(table, tmp_path), label="training", executor=executor)
    assert executor.cancelled
