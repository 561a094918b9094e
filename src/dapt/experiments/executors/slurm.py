"""Runs as Slurm jobs, by submitit: an array of jobs for those that need the same."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dapt.console import warn
from dapt.errors import ConfigError, did_you_mean
from dapt.experiments.executors.base import (
    EXECUTORS,
    Event,
    Failed,
    Finished,
    GatheringExecutor,
    Job,
    Progressed,
    Started,
    WorkerLostError,
)
from dapt.experiments.executors.carry_out import epochs_in
from dapt.experiments.executors.needs import Needs, elsewhere, needs_of
from dapt.experiments.executors.ray_work import Ended, carried_out_quietly

POLL_S = 1.0
STOP_S = 10.0  # for jobs to stop when they are cancelled
GOING = ("RUNNING", "COMPLETING")
CLUSTER = "cluster"  # not a parameter of jobs: slurm, or local to try it on this machine


@EXECUTORS.register("slurm")
class SlurmExecutor(GatheringExecutor):
    """Runs as Slurm jobs.

    Args:
        folder: for what submitit writes: scripts, logs and results of jobs. parameters: see `parameters_of`.
        jobs: at the same time; None: as Slurm has room for. cpus: processor cores of each process of a run.
    """

    def __init__(
        self, folder: Path, parameters: Mapping[str, Any] | None = None, jobs: int | None = None, cpus: int = 1
    ) -> None:
        super().__init__()
        self.folder, self.jobs, self.cpus = folder, jobs, cpus
        self.parameters = dict(parameters or {})

    def _carried_out(self, jobs: list[Job]) -> Generator[Event, None, None]:
        if not jobs:
            return
        going: dict[Any, Job] = {}
        begun: set[str] = set()
        told: dict[str, int] = {}
        try:
            going.update(self._handed_over(jobs))
            while going:
                time.sleep(POLL_S)
                for task, job in list(going.items()):
                    done = task.done()
                    if job.name not in begun and (done or task.state in GOING):
                        begun.add(job.name)
                        yield Started(job)
                    if (count := epochs_in(job)) > told.get(job.name, 0):
                        told[job.name] = count
                        yield Progressed(job, count)
                    if done:
                        del going[task]
                        yield _outcome(job, task)
        finally:
            _stop(list(going))

    def _handed_over(self, jobs: list[Job]) -> Iterator[tuple[Any, Job]]:
        """Jobs of Slurm, as arrays of those that need the same."""
        kinds: dict[tuple[int, int], list[tuple[Job, Needs]]] = {}
        gpus_there = bool(self.parameters.get("gpus_per_node"))
        for job in jobs:
            needs = needs_of(job, self.cpus, gpus_there)
            kinds.setdefault((needs.cpus, needs.gpus), []).append((job, needs))
        for (cpus, gpus), alike in kinds.items():
            executor = self._executor(cpus, gpus)
            with executor.batch():
                tasks = [
                    executor.submit(carried_out_quietly, elsewhere(job), cpus // max(job.config.devices, 1))
                    for job, _ in alike
                ]
            yield from zip(tasks, (job for job, _ in alike), strict=True)

    def _executor(self, cpus: int, gpus: int) -> Any:
        """submitit's executor for jobs of one kind.

        Raises:
            ConfigError: there is no Slurm here, or it does not take the parameters.
        """
        submitit = imported()
        logging.getLogger("submitit").setLevel(logging.ERROR)
        given = {key: value for key, value in self.parameters.items() if key != CLUSTER}
        how: dict[str, Any] = {"name": "dapt", "cpus_per_task": cpus, **({"gpus_per_node": gpus} if gpus else {})}
        cluster = str(self.parameters.get(CLUSTER, "slurm"))
        if self.jobs is not None and cluster == "slurm":
            how["slurm_array_parallelism"] = self.jobs
        try:
            executor = submitit.AutoExecutor(folder=self.folder, cluster=cluster)
            executor.update_parameters(**{**how, **given})
        except (RuntimeError, ValueError, NameError, AssertionError, OSError) as error:
            raise ConfigError(
                f"Slurm jobs cannot be made here: {' '.join(str(error).split())[:300]}",
                todo="Give the command where sbatch is, and look at the parameters of --slurm.",
            ) from error
        return executor


def imported() -> Any:
    """The module `submitit`.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import submitit
    except ImportError as error:
        raise ConfigError("submitit is not installed.", todo="Install it: pip install 'dapt[slurm]'.") from error
    return submitit


def parameters_of(given: Sequence[str]) -> dict[str, Any]:
    """Parameters of submitit from texts such as ``partition=gpu``; those of Slurm alone need no prefix.

    Raises:
        ConfigError: a text is no KEY=VALUE, or there is no such parameter.
    """
    submitit = imported()
    kinds = submitit.AutoExecutor._typed_parameters()
    of_slurm = submitit.SlurmExecutor._valid_parameters()
    found: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise ConfigError(f"--slurm {text} is no KEY=VALUE.", todo="Write, for example, --slurm partition=gpu.")
        name = key.removeprefix("slurm_")
        if key == CLUSTER:
            found[key] = value
        elif key in kinds:
            found[key] = _value(key, value, kinds[key])
        elif name in of_slurm:
            found[f"slurm_{name}"] = int(value) if re.fullmatch(r"\d+", value) else value
        else:
            raise ConfigError(f"--slurm knows no '{key}'.", todo=did_you_mean(key, [*kinds, *of_slurm, CLUSTER]))
    return found


def _value(key: str, value: str, kind: type) -> Any:
    try:
        return value == "true" if kind is bool else kind(value)
    except ValueError:
        raise ConfigError(f"--slurm {key} is '{value}', which is no number.", todo=f"Write {key}=1.") from None


def _outcome(job: Job, task: Any) -> Event:
    """What has become of a job of Slurm that has ended."""
    try:
        ended: Ended = task.result()
    except Exception as error:  # cancelled, preempted for good, out of memory or time: submitit has no result
        return Failed(job, WorkerLostError(f"Slurm job {task.job_id} ended without a result ({_short(task, error)})."))
    for text in ended.warnings:
        warn(f"{job.name}: {text}")
    if ended.results is not None:
        return Finished(job, ended.results)
    fault = ended.error or RuntimeError("it ended without results")
    if ended.trace and hasattr(fault, "add_note"):
        fault.add_note(ended.trace)
    return Failed(job, fault)


def _short(task: Any, error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"state {task.state}; log {task.paths.stderr}; {lines[0][:120] if lines else type(error).__name__}"


def _stop(tasks: list[Any]) -> None:
    """Cancel what waits or runs, and wait a little for it."""
    for task in tasks:
        with contextlib.suppress(Exception):
            task.cancel(check=False)
    deadline = time.monotonic() + STOP_S
    while time.monotonic() < deadline and not all(task.done() for task in tasks):
        time.sleep(0.2)
