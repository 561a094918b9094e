"""Runs in this process: their events in order, one failure among them, and stopping."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.errors import DataError
from dapt.experiments.executors.base import Event, Failed, Finished, Job, Started
from dapt.experiments.executors.local import LocalExecutor, side_by_side
from helpers import run_with


def job(name: str, data: Path, spec: str, out: Path, **how: object) -> Job:
    return Job(name, make_config(run_with(data, spec, out / name, epochs=0)), **how)


def kinds(events: list[Event]) -> list[tuple[type, str]]:
    return [(type(event), event.job.name) for event in events]


def test_one_after_the_other_and_a_failure_stops_no_other(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    executor = LocalExecutor()
    executor.submit(job("bad", tmp_path / "nowhere.csv", tiny_spec, tmp_path))
    executor.submit(job("good", table, tiny_spec, tmp_path))
    assert not (tmp_path / "good").exists(), "it begins when events are asked for"
    events = list(executor.events())
    assert kinds(events) == [(Started, "bad"), (Failed, "bad"), (Started, "good"), (Finished, "good")]
    assert isinstance(events[1].error, DataError)
    assert events[3].results.metrics["test/accuracy"] is not None
    assert list(executor.events()) == [], "what has ended is not begun again"


def test_a_finished_run_is_kept_unless_it_is_to_start_again(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    def carry_out(**how: object) -> int:
        executor = LocalExecutor()
        executor.submit(job("run", table, tiny_spec, tmp_path, **how))
        assert kinds(list(executor.events()))[-1] == (Finished, "run")
        return (tmp_path / "run" / "results.json").stat().st_mtime_ns

    first = carry_out()
    assert carry_out() == first
    assert carry_out(overwrite=True) > first


def test_the_folder_of_the_group_has_to_be_there(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    group = tmp_path / "group"
    executor = LocalExecutor()
    executor.submit(job("run", table, tiny_spec, group, within=group))
    assert kinds(list(executor.events())) == [(Started, "run"), (Failed, "run")]
    assert not group.exists()


def test_cancelling_forgets_what_has_not_begun(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    executor = LocalExecutor()
    for name in ("one", "two"):
        executor.submit(job(name, table, tiny_spec, tmp_path))
    events = executor.events()
    assert isinstance(next(events), Started)
    executor.cancel()
    assert list(events) == []
    executor.submit(job("three", table, tiny_spec, tmp_path))
    executor.cancel()
    assert list(executor.events()) == []
    assert not any((tmp_path / name).exists() for name in ("one", "two", "three"))


@pytest.mark.parametrize("count", [0, 1, 10**6])
def test_as_many_at_a_time_as_the_machine_carries(count: int) -> None:
    from dapt.environment import cores

    assert 1 <= side_by_side(count) <= max(1, min(count, cores()))
