"""A search: Optuna proposes settings, each is a run whose test images are not opened, the best is written down."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dapt.config import RunConfig, make_config
from dapt.console import say, warn
from dapt.errors import ConfigError, DaptError, DataError, ModelError, NotSupportedError
from dapt.experiments.executors.base import Executor, Failed, Finished, Job
from dapt.experiments.executors.local import LocalExecutor
from dapt.experiments.grid.live import spoken
from dapt.experiments.run_all import told
from dapt.experiments.tuning.proposals import check_optuna, proposed
from dapt.experiments.tuning.space import Space, at_start, checked, with_values
from dapt.experiments.tuning.study import DONE, FAILED, PRUNED, RUNNING, Study, Trial
from dapt.experiments.tuning.trial import ACCURACY, PrunedError, epochs_of, task_of
from dapt.files import write_bytes
from dapt.lock import FolderLock
from dapt.results import RunResults
from dapt.runs.torchrun import refuse_torchrun
from dapt.wording import counted

BEST = "best.yaml"
MISTAKES = (ConfigError, DataError, ModelError, NotSupportedError)


@dataclass(frozen=True)
class Effort:
    """How much is tried.

    Attributes:
        trials: runs in all. jobs: at the same time. seconds: after so many none is begun any more; None: no end.
        prune: give up trials that do worse than most others after as many epochs.
    """

    trials: int = 20
    jobs: int = 1
    seconds: float | None = None
    prune: bool = True


def search(tree: Mapping[str, Any], space: Space, out: Path, effort: Effort) -> Study:
    """Carry out trials until there are as many as asked for; finished ones are kept, interrupted ones go on, failed
    ones are tried again.

    With one job at a time, a search that was stopped goes on exactly as it would have.

    Args:
        tree: the settings that all trials share. space: what is searched. out: folder of the search.

    Returns:
        the study; ``best.yaml`` beside its study.json holds the settings of the best trial.

    Raises:
        DaptError: Optuna is not installed, nothing can be searched, the folder holds another search, the settings are
            wrong as they are, or no trial has succeeded.
    """
    refuse_torchrun("dapt tune")
    check_optuna()
    config = make_config(tree)
    _check(config)
    space = checked(space, tree)
    with FolderLock(out):
        study = Study(out, tree, space)
        for trial in study.trials:
            if trial.state == FAILED:
                trial.state, trial.error = RUNNING, None
        study.write()
        _Search(tree, config, out, effort, study).carry_on()
        ranked = study.ranked()
        if not ranked:
            raise _nothing(study)
        best = with_values(tree, ranked[0].values)
        write_bytes(out / BEST, yaml.safe_dump(best, sort_keys=False, allow_unicode=True).encode())
    return study


def _check(config: RunConfig) -> None:
    if config.model_selection == "best_test":
        raise ConfigError("A search never looks at test images, which model_selection=best_test does.")
    if config.devices != 1:
        raise ConfigError("A trial of a search has one device.", todo="Use --jobs for several trials at a time.")
    if not config.recipe.trains:
        raise ConfigError(f"{config.method} trains nothing, so there is nothing to search.")


def _nothing(study: Study) -> DaptError:
    failed = [trial for trial in study.trials if trial.state == FAILED]
    if not failed:
        return DaptError("No trial has been finished.", where=str(study.file), todo="Give it more time.")
    return DaptError(
        f"None of the {counted(len(study.trials), 'trial')} has succeeded.",
        where=str(study.file),
        more=[f"trial {trial.number + 1}: {trial.error}" for trial in failed[:5]],
    )


class _Search:
    def __init__(self, tree: Mapping[str, Any], config: RunConfig, out: Path, effort: Effort, study: Study) -> None:
        self.tree, self.config, self.out, self.effort, self.study = tree, config, out, effort, study
        self.began = time.monotonic()
        self.carried_out = 0

    def carry_on(self) -> None:
        """Begin trials, as many at a time as there are jobs, until there are enough or time is over."""
        effort, study = self.effort, self.study
        while True:
            waiting = [trial for trial in study.trials if trial.state == RUNNING]
            left = effort.trials - len(study.trials)
            if not waiting and left <= 0:
                return
            if effort.seconds is not None and time.monotonic() - self.began >= effort.seconds:
                say(f"time is over; {len(waiting) + max(left, 0)} of {effort.trials} trials were not carried out")
                return
            batch = waiting[: effort.jobs]
            while len(batch) < effort.jobs and len(study.trials) < effort.trials:
                start = at_start(study.space, self.config)
                values = proposed(study.space, study.trials, self.config.seed, start)
                batch.append(Trial(len(study.trials), values))
                study.trials.append(batch[-1])
            study.write()
            self._carry_out(batch)

    def _carry_out(self, batch: list[Trial]) -> None:
        past = [trial for trial in self.study.trials if trial.state == DONE]
        executor = LocalExecutor(self.effort.jobs)
        by_name = {}
        for trial in batch:
            folder = self._folder(trial)
            settings = ", ".join(f"{key}={short(value)}" for key, value in trial.values.items())
            say(f"trial {trial.number + 1}/{max(self.effort.trials, len(self.study.trials))}: {settings}")
            try:
                config = make_config({**with_values(self.tree, trial.values), "out": str(folder)})
            except DaptError as error:
                self._ended(trial, error)
                continue
            by_name[folder.name] = trial
            task = task_of(trial, self.study.space, past, self.effort.prune)
            executor.submit(Job(folder.name, config, task=task, within=self.out))
        self._follow(executor, by_name)

    def _follow(self, executor: Executor, trials: Mapping[str, Trial]) -> None:
        try:
            for event in executor.events() if trials else ():
                if isinstance(event, Finished) and isinstance(event.results, RunResults):
                    self._ended(trials[event.job.name], event.results)
                elif isinstance(event, Failed):
                    self._ended(trials[event.job.name], event.error)
        except BaseException:
            executor.cancel()
            raise

    def _ended(self, trial: Trial, outcome: RunResults | Exception) -> None:
        """Note what has become of a trial, and say it.

        Raises:
            DaptError: the settings are wrong as they are, before anything is changed in them.
        """
        trial.epochs = epochs_of(self._folder(trial))
        name = f"trial {trial.number + 1}"
        if isinstance(outcome, RunResults):
            trial.state, trial.accuracy = DONE, outcome.metrics[ACCURACY]
            best = self.study.ranked()[0]
            say(
                f"{name}: {trial.accuracy:.2f} % on the validation images; best so far {best.accuracy:.2f} % (trial "
                f"{best.number + 1}){self._left()}"
            )
        elif isinstance(outcome, PrunedError):
            trial.state = PRUNED
            say(f"{name}: given up after epoch {len(trial.epochs)}, at {max(trial.epochs):.2f} %{self._left()}")
        else:
            if trial.number == 0 and isinstance(outcome, MISTAKES):
                raise outcome
            trial.state, trial.error = FAILED, told(outcome)
            warn(f"{name} failed: {trial.error}")
        self.study.write()

    def _left(self) -> str:
        self.carried_out += 1
        todo = self.effort.trials - sum(trial.state != RUNNING for trial in self.study.trials)
        if todo <= 0:
            return ""
        return f"; about {spoken((time.monotonic() - self.began) / self.carried_out * todo)} left"

    def _folder(self, trial: Trial) -> Path:
        return self.out / f"trial-{trial.number + 1:04d}"


def short(value: Any) -> str:
    """A value in a line or cell."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
