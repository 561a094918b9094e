"""Two writers of one folder, and a folder that is taken away from its writer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from comparing import differences, snapshot
from scale import share
from scenes import DEMO, MASKS, PROTOCOL, TRAIN, Scene, Stage, evaluation, masks, scenes_alone, train
from stories import reference, well
from warm import Warm

LIMIT_S = 100


def program(stage: Stage, *arguments: object) -> subprocess.Popen[str]:
    """The program as users start it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "dapt", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def long(command: list[object]) -> list[object]:
    """A training that does not end by itself."""
    place = command.index("--epochs") + 1
    return [*command[:place], 100_000, *command[place + 1 :]]


def check_two(ends: list[tuple[int, str]], command: Callable[[Stage], list[object]]) -> None:
    """One of two that were started at once went on, the other one was refused; or came late and found all done."""
    codes = [code for code, _ in ends]
    assert set(codes) <= {0, 2}, ends
    # a second `dapt masks` that comes late finds all masks and keeps them
    assert codes.count(0) == 1 or (command is masks and codes.count(0) == 2), ends
    for code, output in ends:
        assert "Traceback" not in output
        if code == 2:
            assert "is in use by process" in output or "exists" in output or "holds a demo" in output, output


@pytest.mark.slow
def test_two_programs_at_once(warm: Warm, stage: Stage) -> None:
    stage.clear()
    well(warm.run(*train(stage)))
    expected = snapshot(stage.out)
    stage.clear()
    two = [program(stage, *train(stage)) for _ in range(2)]
    outputs = [process.communicate(timeout=600)[0] for process in two]
    check_two([(process.returncode, output) for process, output in zip(two, outputs, strict=True)], train)
    assert differences(expected, snapshot(stage.out)) == []


@pytest.mark.parametrize("command", [train, masks, scenes_alone], ids=["train", "masks", "demo"])
def test_two_at_once(warm: Warm, other: Warm, stage: Stage, command: Callable[[Stage], list[object]]) -> None:
    """By children that are forked within a millisecond; the lock refuses one of them, or what the other has written."""
    stage.clear()
    well(warm.run(*command(stage)))
    expected = snapshot(stage.out)
    refused = rounds = 0
    while rounds < 5 or (not refused and rounds < 40):
        rounds += 1
        stage.clear()
        for process in (warm, other):
            process.begin(*command(stage))
        ends = [process.end() for process in (warm, other)]
        check_two([(end.code, end.output) for end in ends], command)
        refused += any(end.code == 2 for end in ends)
        assert differences(expected, snapshot(stage.out)) == []
    assert refused, "the two never met"


@pytest.fixture
def owner(other: Warm, stage: Stage) -> Iterator[int]:
    """The number of a process that trains in the folder and has finished an epoch; `other` has started it."""
    stage.clear()
    other.begin(*long(train(stage)))
    until(lambda: (stage.out / "metrics.jsonl").exists())
    number = json.loads((stage.out / ".owner.json").read_text())["pid"]
    yield number
    if is_there(number):
        os.kill(number, signal.SIGKILL)
        other.end()


def is_there(number: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def epochs(stage: Stage) -> int:
    """How many are finished."""
    return len((stage.out / "metrics.jsonl").read_text().splitlines())


def test_while_one_writes_nobody_else_does(warm: Warm, stage: Stage, owner: int) -> None:
    """Every command that would write is refused, names the owner, and changes nothing that it finds."""
    inode = stage.out.stat().st_ino
    named = f"is in use by process {owner} on {socket.gethostname()} (since "
    for attempt in (long(train(stage, "--resume")), long(train(stage, "--overwrite")), train(stage, "--overwrite")):
        done = warm.run(*attempt)
        assert done.code == 2, done.output
        assert named in done.output
        assert "Wait until that has ended" in done.output
    for attempt in (masks(stage), evaluation(stage), train(stage), scenes_alone(stage, "--overwrite")):
        done = warm.run(*attempt)
        assert done.code == 2, done.output
        assert "Traceback" not in done.output
    assert is_there(owner)
    assert stage.out.stat().st_ino == inode
    before = epochs(stage)
    until(lambda: epochs(stage) > before)


def test_the_lock_of_a_killed_owner_is_taken_over(warm: Warm, other: Warm, stage: Stage, owner: int) -> None:
    os.kill(owner, signal.SIGKILL)
    assert other.end().killed
    done = warm.run(*train(stage, "--overwrite"))
    assert done.code == 0, done.output
    told = f"was held by process {owner} on {socket.gethostname()} (since "
    assert told in done.output
    assert "which is gone; its lock is taken over." in done.output
    assert told not in warm.run(*train(stage, "--overwrite")).output


@pytest.mark.parametrize("how", ["removed", "replaced", "moved"])
def test_a_run_folder_that_is_taken_away(other: Warm, stage: Stage, owner: int, how: str) -> None:
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
        done = other.end()
        assert done.code == 2, done.output
        assert "was removed or replaced while the run was going on" in done.output
        assert "Traceback" not in done.output
        assert list(stage.out.iterdir()) == [] if how == "replaced" else not stage.out.exists()
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)


@pytest.mark.parametrize("scene", [TRAIN, PROTOCOL, MASKS, DEMO], ids=lambda scene: scene.name)
def test_a_folder_that_vanishes_at_some_operation(warm: Warm, stage: Stage, scene: Scene, tell) -> None:
    """A folder deleted in mid-run is an error, never a finished run, and does not come back half made."""
    reference(warm, stage, scene)
    stage.clear()
    whole = warm.run(*scene.command(stage), watch={"inside": [str(stage.out)]})
    well(whole)
    # between the first file of dapt's own and the last one
    names = [number for number, (kind, *_) in enumerate(whole.seen, start=1) if kind == "os.rename"]
    points = share(scene.name, [number for number in whole.new if names[1] < number < names[-1]], 4)
    wrong: list[str] = []
    told = "was removed or replaced while the run was going on" if scene is TRAIN else "error: "
    for point in points:
        stage.clear()
        watch = {"inside": [str(stage.out)], "remove": [point, str(stage.out)]}
        done = warm.run(*scene.command(stage), watch=watch)
        story = f"removed before operation {point} ({' '.join(whole.seen[point - 1])})"
        if done.code != 2 or "Traceback" in done.output or told not in done.output:
            wrong.append(f"{story}: ended with {done.code}\n{done.output}")
        if stage.out.exists():
            wrong.append(f"{story}: left {sorted(snapshot(stage.out))}")
    tell(f"vanishing folder: {scene.name}", len(points))
    assert not wrong, "\n".join(wrong[:20])


def test_the_stage_is_left_as_it_was(stage: Stage) -> None:
    """Nothing of the above has touched what commands read."""
    assert {path.name for path in Path(stage.folder).iterdir()} <= {
        "model",
        "table",
        "saved",
        "run",
        "out",
        "kept",
        "instances.json",
    }
