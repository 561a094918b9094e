"""Two writers of one folder, and a folder that is taken away from its writer."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from comparing import differences, snapshot
from scenes import DEMO, MASKS, PROTOCOL, TRAIN, Scene, Stage, evaluation, masks, scenes_alone, train
from stories import reference, well
from warm import Warm

LIMIT_S = 300


def started(stage: Stage, *arguments: object) -> subprocess.Popen[str]:
    """The real program."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "dapt", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something is so, while the process runs."""
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def long(command: list[object]) -> list[object]:
    """A training that does not end by itself."""
    place = command.index("--epochs") + 1
    return [*command[:place], 100_000, *command[place + 1 :]]


@pytest.mark.slow
@pytest.mark.parametrize("command", [train, masks, scenes_alone], ids=["train", "masks", "demo"])
def test_two_at_once(warm: Warm, stage: Stage, command: Callable[[Stage], list[object]]) -> None:
    """Whoever is first goes on; the other one ends, or where that is quick enough, finds all done."""
    stage.clear()
    well(warm.run(*command(stage)))
    expected = snapshot(stage.out)
    stage.clear()
    two = [started(stage, *command(stage)) for _ in range(2)]
    outputs = [process.communicate(timeout=LIMIT_S)[0] for process in two]
    codes = [process.returncode for process in two]
    # a second `dapt masks` that comes late finds all masks; a second run or demo that comes late finds a folder
    assert 0 in codes, outputs
    assert set(codes) <= {0, 2}, outputs
    assert codes.count(0) == 1 or command is masks, outputs
    for code, output in zip(codes, outputs, strict=True):
        assert "Traceback" not in output
        if code == 2:
            assert "is in use by process" in output or "exists" in output or "holds a demo" in output, output
    assert differences(expected, snapshot(stage.out)) == []


@pytest.fixture
def owner(stage: Stage):
    """A training that holds the folder and has finished an epoch."""
    stage.clear()
    process = started(stage, *long(train(stage)))
    try:
        until(lambda: (stage.out / "metrics.jsonl").exists(), process)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_while_one_writes_nobody_else_does(warm: Warm, stage: Stage, owner: subprocess.Popen[str]) -> None:
    """Every command that would write is refused, names the owner, and changes nothing that it finds."""
    inode = stage.out.stat().st_ino
    named = f"is in use by process {owner.pid} on {socket.gethostname()} (since "
    attempts = [
        long(train(stage, "--resume")),
        long(train(stage, "--overwrite")),
        train(stage, "--overwrite"),
    ]
    for attempt in attempts:
        done = warm.run(*attempt)
        assert done.code == 2, done.output
        assert named in done.output
        assert "Wait until that has ended" in done.output
    for attempt in (masks(stage), evaluation(stage), train(stage), scenes_alone(stage, "--overwrite")):
        done = warm.run(*attempt)
        assert done.code == 2, done.output
        assert "Traceback" not in done.output
    assert owner.poll() is None
    assert stage.out.stat().st_ino == inode
    before = len((stage.out / "metrics.jsonl").read_text().splitlines())
    until(lambda: len((stage.out / "metrics.jsonl").read_text().splitlines()) > before, owner)


@pytest.mark.slow
def test_the_lock_of_a_killed_owner_is_taken_over(warm: Warm, stage: Stage, owner: subprocess.Popen[str]) -> None:
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    done = warm.run(*train(stage, "--overwrite"))
    assert done.code == 0, done.output
    told = f"was held by process {owner.pid} on {socket.gethostname()} (since "
    assert told in done.output
    assert "which is gone; its lock is taken over." in done.output
    assert told not in warm.run(*train(stage, "--overwrite")).output


@pytest.mark.slow
@pytest.mark.parametrize("how", ["removed", "replaced", "moved"])
def test_a_run_folder_that_is_taken_away(stage: Stage, owner: subprocess.Popen[str], how: str) -> None:
    """The run ends, says why, and leaves nothing where its folder was."""
    elsewhere = stage.folder / "elsewhere"
    if how == "removed":
        while stage.out.exists():  # the run may write between two removals
            shutil.rmtree(stage.out, ignore_errors=True)
    else:
        stage.out.rename(elsewhere)
    if how == "replaced":
        stage.out.mkdir()
    try:
        output, _ = owner.communicate(timeout=LIMIT_S)
        assert owner.returncode == 2, output
        assert "was removed or replaced while the run was going on" in output
        assert "Traceback" not in output
        assert list(stage.out.iterdir()) == [] if how == "replaced" else not stage.out.exists()
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)


@pytest.mark.parametrize("scene", [TRAIN, PROTOCOL, MASKS, DEMO], ids=lambda scene: scene.name)
def test_a_folder_that_vanishes_at_some_operation(warm: Warm, stage: Stage, scene: Scene, tell) -> None:
    """A folder deleted in mid-run is an error, never a finished run, and does not come back half made."""
    from scale import share

    reference(warm, stage, scene)
    stage.clear()
    whole = warm.run(*scene.command(stage), watch={"inside": [str(stage.out)]})
    well(whole)
    # between the first file of dapt's own and the last one
    names = [number for number, (kind, *_) in enumerate(whole.seen, start=1) if kind == "os.rename"]
    points = share(scene.name, [number for number in whole.new if names[1] < number < names[-1]], 4)
    wrong = []
    for point in points:
        stage.clear()
        watch = {"inside": [str(stage.out)], "remove": [point, str(stage.out)]}
        done = warm.run(*scene.command(stage), watch=watch)
        story = f"removed before operation {point} ({' '.join(whole.seen[point - 1])})"
        if done.code != 2 or "Traceback" in done.output or "error: " not in done.output:
            wrong.append(f"{story}: ended with {done.code}\n{done.output}")
        if stage.out.exists():
            wrong.append(f"{story}: left {sorted(snapshot(stage.out))}")
    tell(f"vanishing folder: {scene.name}", len(points))
    assert not wrong, "\n".join(wrong[:20])


def test_the_stage_is_left_as_it_was(stage: Stage) -> None:
    """Nothing of the above has touched what commands read."""
    assert {path.name for path in Path(stage.folder).iterdir()} <= {"model", "table", "out", "kept"}
