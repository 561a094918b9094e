"""Killed at any moment, also several times in a row: the run that comes of it in the end is the undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from comparing import differences, snapshot
from scale import LONG, cases
from scenes import TRAIN, Stage, train
from stories import reference
from warm import Warm


def seed() -> int:
    """The same moments every time in the short form, others in the long one, which tells them."""
    return time.time_ns() % 2**32 if LONG else 1


def test_killed_at_random(warm: Warm, stage: Stage, tell) -> None:
    """By a child that is forked, which costs half a second."""
    expected = reference(warm, stage, TRAIN)
    chosen = seed()
    moments = random.Random(chosen)
    stage.clear()
    start = time.perf_counter()
    warm.run(*train(stage))
    whole = time.perf_counter() - start
    kills = runs = 0
    wrong: list[str] = []
    while kills < cases(12, 170):
        stage.clear()
        more: tuple[str, ...] = ()
        times = moments.choice((1, 1, 1, 2, 3, 5))
        story = f"seed {chosen}, run {runs}, killed"
        for _ in range(times):
            moment = moments.uniform(0, whole)
            done = warm.run(*train(stage, *more), kill_after=moment)
            story += f" after {moment:.3f} s"
            more = ("--resume",)
            if not done.killed:
                if done.code:
                    wrong.append(f"{story}: ended with {done.code}\n{done.output}")
                break
            kills += 1
        done = warm.run(*train(stage, *more))
        runs += 1
        if done.code:
            wrong.append(f"{story}: the last call ended with {done.code}\n{done.output}")
        else:
            wrong += [f"{story}: {text}" for text in differences(expected, snapshot(stage.out))]
    tell("random kills: train", kills, f"of {runs} runs")
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.slow
def test_the_real_program_killed_at_random(warm: Warm, stage: Stage, tell) -> None:
    """The program as users start it, imports and all."""
    expected = reference(warm, stage, TRAIN)
    chosen = seed()
    moments = random.Random(chosen)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    kills = runs = 0
    wrong: list[str] = []

    def program(*more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "dapt", *map(str, train(stage, *more))]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    while kills < cases(1, 30):
        stage.clear()
        more: tuple[str, ...] = ()
        for _ in range(cases(1, moments.choice((1, 2, 3)))):
            process = program(*more)
            while process.poll() is None and not stage.out.exists():
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 1.0))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += process.returncode == -signal.SIGKILL
            more = ("--resume",)
        process = program("--resume")
        output, _ = process.communicate(timeout=600)
        runs += 1
        story = f"seed {chosen}, run {runs}"
        if process.returncode:
            wrong.append(f"{story}: the last call ended with {process.returncode}\n{output}")
        else:
            wrong += [f"{story}: {text}" for text in differences(expected, snapshot(stage.out))]
    tell("random kills: the real program", kills, f"of {runs} runs")
    assert not wrong, "\n".join(wrong[:20])
