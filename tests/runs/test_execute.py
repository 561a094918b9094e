"""Carrying out a run: what is trained, when it ends early, and the log of a run that failed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dapt.config import make_config
from dapt.digests import content_digest
from dapt.runs.check import check_run
from dapt.runs.execute import Work, execute, save_log
from dapt.runs.identity import fingerprint, identity
from dapt.runs.load_inputs import load_inputs
from dapt.runs.prepare import Prepared, prepare
from dapt.runs.run_data import describe_split
from dapt.runs.run_folder import RunFolder
from dapt.training.fit import Progress
from helpers import run_with


def ready(table: Path, spec: str, out: Path, **changes: object) -> tuple[Work, Prepared]:
    """A run whose folder has been begun; its caller releases the lock."""
    plan = check_run(make_config(run_with(table, spec, out, **changes)), resume=False, overwrite=False)
    loaded = load_inputs(plan)
    inputs = fingerprint(plan.config, loaded.data, loaded.clip)
    prepared = prepare(plan.config, loaded.data, loaded.clip, loaded.cache)
    split = describe_split(loaded.data)
    plan.folder.begin(plan.config, resume=False, overwrite=False, split=split, inputs=inputs)
    return Work(plan.config, plan.folder, loaded.data, "cpu", identity(plan.config, inputs), []), prepared


def test_every_epoch_is_kept_before_it_is_told(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    work, prepared = ready(table, tiny_spec, tmp_path / "run", epochs=2)
    before = content_digest(prepared.model.prompts.state_dict())
    told: list[tuple[int, bool]] = []

    def after(progress: Progress) -> None:
        told.append((progress.epoch, work.folder.checkpoint_file.is_file()))

    work.after_epoch = after
    try:
        results = execute(work, prepared)
    finally:
        work.folder.lock.release()
    assert told == [(1, True), (2, True)]
    assert content_digest(prepared.model.prompts.state_dict()) != before
    assert work.folder.done
    assert json.loads(work.folder.results_file.read_text())["metrics"] == results.metrics
    assert [json.loads(line)["epoch"] for line in work.folder.metrics_file.read_text().splitlines()] == [1, 2]


def test_without_epochs_nothing_is_trained_and_the_run_is_finished(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    work, prepared = ready(table, tiny_spec, tmp_path / "run", epochs=0)
    before = content_digest(prepared.model.prompts.state_dict())
    try:
        results = execute(work, prepared)
    finally:
        work.folder.lock.release()
    assert content_digest(prepared.model.prompts.state_dict()) == before
    assert not results.selected_epoch
    assert not work.folder.checkpoint_file.exists()
    assert work.folder.done


def test_the_log_of_a_run_that_failed_is_kept(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    work, _ = ready(table, tiny_spec, tmp_path / "run")
    save_log(work.folder, ["one", "two"])
    work.folder.lock.release()
    assert work.folder.log_file.read_text().splitlines() == ["one", "two"]


def test_a_folder_that_was_not_begun_or_is_gone_gets_no_log(
    table: Path, tiny_spec: str, trained: Path, tmp_path: Path
) -> None:
    save_log(RunFolder(tmp_path / "never"), ["one"])
    assert not (tmp_path / "never").exists()
    sealed = (trained / "log.txt").read_text()
    save_log(RunFolder(trained), ["one"])
    assert (trained / "log.txt").read_text() == sealed
    work, _ = ready(table, tiny_spec, tmp_path / "run")
    work.folder.lock.release()
    work.folder.path.rename(tmp_path / "moved")
    save_log(work.folder, ["one"])
    assert not work.folder.path.exists()
    assert not (tmp_path / "moved" / "log.txt").exists()


@pytest.mark.slow
@pytest.mark.long
def test_backgrounds_are_exchanged_over_the_shares_of_processes(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    """A share's first image is shown on the background of the last of the share before it, as in the whole batch."""
    words = ["train", table, "--model", tiny_spec, "--method", "ivlp", "--set", "prompt.depth=2", "--shots", 4]
    words += ["--epochs", 3, "--batch-size", 4, "--lr", 0.002, "--device", "cpu", "-q"]
    words += ["--dapt", "--set", "dapt.variant=swap", "--cue", "border"]
    prompts = []
    for devices in (1, 2):
        out = tmp_path / str(devices)
        command = [sys.executable, "-m", "dapt", *map(str, [*words, "--devices", devices, "--out", out])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        (found,) = out.rglob("prompts.safetensors")
        prompts.append(load_file(found))
    one, two = prompts
    assert one.keys() == two.keys()
    assert all(torch.allclose(value, two[name], atol=1e-5) for name, value in one.items())


@pytest.mark.slow
def test_of_several_processes_one_warns_and_lightning_says_nothing(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    words = ["train", table, "--model", tiny_spec, "--method", "coop", "--shots", 2, "--epochs", 1, "--batch-size", 2]
    words += ["--dapt", "--cue", "border", "--devices", 2, "--device", "cpu", "-q", "--out", tmp_path / "run"]
    done = subprocess.run(
        [sys.executable, "-m", "dapt", *map(str, words)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert any("L_v is left out" in line for line in lines)
    assert len(set(lines)) == len(lines), "each warning is given once"
    assert all(line.startswith("warning: ") for line in lines)
