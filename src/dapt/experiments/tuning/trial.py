"""One trial, in whichever process carries it out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dapt.errors import DaptError
from dapt.experiments.executors.base import Job
from dapt.experiments.tuning.proposals import is_poor
from dapt.experiments.tuning.space import Space
from dapt.experiments.tuning.study import Trial
from dapt.results import RunResults
from dapt.runs.run_folder import RunFolder

ACCURACY = "val/accuracy"
Task = Callable[[Job], RunResults]


class PrunedError(DaptError):
    """A trial is given up, as it does worse than most others did by then."""


def task_of(trial: Trial, space: Space, past: Sequence[Trial], prune: bool) -> Task:
    """What carries out a trial: a run whose test images are not opened; for any process.

    Args:
        past: the trials that it is measured by. prune: give it up where it does worse than their median.
    """
    return partial(_carry_out, trial=trial, space=space, past=tuple(past), prune=prune)


def _carry_out(job: Job, trial: Trial, space: Space, past: Sequence[Trial], prune: bool) -> RunResults:
    from dapt.runs.train import run_training
    from dapt.training.fit import Progress

    def judge(progress: Progress) -> None:
        epochs = [float(line[ACCURACY]) for line in progress.lines if ACCURACY in line]
        if len(epochs) < job.config.epochs and is_poor(space, past, trial.values, epochs):
            raise PrunedError(f"Given up after epoch {len(epochs)}: most trials were better by then.")

    return run_training(
        job.config,
        resume=True,
        within=job.within,
        after_epoch=judge if prune and job.config.devices == 1 else None,
        validation_only=True,
    )


def epochs_of(folder: Path) -> list[float]:
    """The accuracy in percent on the validation images after every epoch that a trial has finished."""
    try:
        lines = RunFolder(folder).metrics_file.read_text(encoding="utf-8").splitlines()
        return [float(each[ACCURACY]) for each in map(json.loads, filter(None, lines)) if ACCURACY in each]
    except (OSError, ValueError):  # not begun, or cut off
        return []
