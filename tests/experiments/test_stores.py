"""Experiments at an address: runs are made in a scratch folder and brought there whole."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError, DataError
from dapt.experiments.executors.base import Job
from dapt.experiments.executors.carry_out import carry_out
from dapt.experiments.stores import Store, in_store, is_address, local_job, mirror_of, scratch_of


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    pytest.importorskip("fsspec")
    where = tmp_path / "store"
    return Store(f"file://{where}" if request.param == "file" else f"memory://{where}")


def test_addresses() -> None:
    assert is_address("s3://bucket/runs")
    assert not is_address("runs/a")
    assert mirror_of("s3://b/a/") == mirror_of("s3://b/a") != mirror_of("s3://b/c")


def test_there_and_back(store: Store, tmp_path: Path) -> None:
    store.check()
    assert store.names() == {}
    here, back = tmp_path / "here", tmp_path / "back"
    (here / "inner").mkdir(parents=True)
    for name in ("run.yaml", "results.json", "last.ckpt", "inner/a", ".lock"):
        (here / name).write_text(name)
    store.push(here, "cell")
    assert set(store.names("cell")) == {"run.yaml", "results.json", "last.ckpt", "inner/a"}
    (here / "last.ckpt").unlink()
    store.push(here, "cell")
    assert "last.ckpt" not in store.names("cell"), "what is gone here is gone there"
    (back / "old").parent.mkdir()
    (back / "old").write_text("")
    assert store.pull("cell", back, without=["run.yaml"])
    assert sorted(path.relative_to(back).as_posix() for path in back.rglob("*") if path.is_file()) == [
        "inner/a",
        "results.json",
    ]
    assert not store.pull("none", tmp_path / "none")


@pytest.mark.parametrize("address", ["nonsense://a/b", "file:///proc/no/such"])
def test_what_cannot_be_used_is_told(address: str) -> None:
    with pytest.raises(ConfigError, match="cannot be"):
        Store(address).check()


def test_a_run_that_fails_leaves_what_it_has_kept(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    job = Job("a", make_config({"data": "/d", "out": "/mirror/a"}), store=f"{store.address}/a")
    seen: list[list[str]] = []

    def carry_out(made: Job) -> object:
        out = Path(made.config.out or "")
        assert made == local_job(job)
        seen.append(sorted(path.name for path in out.rglob("*")))
        out.mkdir(parents=True, exist_ok=True)
        (out / "last.ckpt").write_text("state")
        if len(seen) == 1:
            raise DataError("no")
        (out / "last.ckpt").unlink()
        (out / "results.json").write_text("{}")
        return "results"

    with pytest.raises(DataError):
        in_store(job, carry_out)  # type: ignore[arg-type]
    assert set(store.names("a")) == {"last.ckpt"}
    assert in_store(job, carry_out) == "results"  # type: ignore[arg-type]
    assert seen == [[], ["last.ckpt"]]
    assert set(store.names("a")) == {"results.json"}
    assert not scratch_of(job).exists()


def test_cells_in_a_store_are_run_once(
    store: Store, table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dapt.experiments.grid.experiment import make_experiment
    from dapt.experiments.grid.run_experiment import plan_experiment, run_experiment

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = {"data": str(table), "model": tiny_spec, "device": "cpu", "methods": ["zero_shot"], "seeds": [1, 2]}
    experiment = make_experiment(tree, "trial", store.address)
    assert len(plan_experiment(experiment).todo) == 2
    run_experiment(plan_experiment(experiment))
    there = store.names()
    assert sum(path.endswith("/results.json") for path in there) == 2
    again = plan_experiment(experiment)
    assert (len(again.todo), len(again.done)) == (0, 2)
    shutil.rmtree(tmp_path / "cache")  # on another machine
    again = plan_experiment(experiment)
    assert (len(again.todo), len(again.done)) == (0, 2)
    assert store.names() == there


def test_results_that_did_not_arrive(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dapt.experiments.executors import local
    from dapt.experiments.grid.experiment import make_experiment
    from dapt.experiments.grid.run_experiment import plan_experiment, run_experiment
    from dapt.experiments.grid.unfinished import UnfinishedError

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def elsewhere(job: Job, candidates: object = None) -> object:
        return carry_out(replace(job, store=f"file://{tmp_path / 'of another machine'}/a"))

    monkeypatch.setattr(local, "carry_out", elsewhere)
    tree = {"data": str(table), "model": tiny_spec, "device": "cpu", "methods": ["zero_shot"]}
    experiment = make_experiment(tree, "trial", f"file://{tmp_path / 'store'}")
    with pytest.raises(UnfinishedError) as found:
        run_experiment(plan_experiment(experiment))
    assert "Its results did not arrive at file://" in found.value.message
    assert len(plan_experiment(experiment).todo) == 1
