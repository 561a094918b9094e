"""Runs on this machine: one after the other, or side by side in processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool

from dapt.console import set_quiet, warnings_of
from dapt.environment import cores, memory_mb
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
from dapt.experiments.executors.carry_out import carry_out, epochs_in
from dapt.plugins import load_plugins
from dapt.processes import worker_pool
from dapt.results import ProtocolResults, RunResults
from dapt.runs.candidate_cache import CandidateCache

_candidates = CandidateCache()  # of a worker process, which ends with the group
RUN_MB = 1000  # what a small run needs, most of it for the libraries
POLL = 0.3  # seconds


def side_by_side(count: int) -> int:
    """How many of `count` runs to train at the same time on this machine: one per core, as memory allows."""
    memory = memory_mb()
    fit = count if memory is None else int(memory / RUN_MB) - 1  # one share is for the process that starts them
    return max(min(count, cores(), fit), 1)


@EXECUTORS.register("local")
class LocalExecutor(GatheringExecutor):
    """Runs in this process, or in several.

    Args:
        jobs: runs at the same time; 1: in this process, each with its own progress bars.
    """

    def __init__(self, jobs: int = 1) -> None:
        super().__init__()
        self.jobs = jobs

    def _carried_out(self, jobs: list[Job]) -> Generator[Event, None, None]:
        return _side_by_side(jobs, self.jobs) if self.jobs > 1 and len(jobs) > 1 else _one_by_one(jobs)


def _one_by_one(jobs: list[Job]) -> Generator[Event, None, None]:
    candidates = CandidateCache()
    for job in jobs:
        yield Started(job)
        try:
            results = carry_out(job, candidates)
        except Exception as error:  # whatever it is: it is told, and the others go on
            yield Failed(job, error)
        else:
            yield Finished(job, results)


def _side_by_side(jobs: list[Job], workers: int) -> Generator[Event, None, None]:
    """As many runs at a time as there are workers.

    Where a worker is killed, what was going on in any of them is carried out again, one run at a time, each in a
    process of its own: only the run whose process is killed again has failed.
    """
    waiting, suspects = deque(jobs), deque[Job]()
    workers = min(workers, len(jobs))
    while waiting:
        suspects += yield from _in_a_pool(waiting, workers, cores() // workers)
        while suspects:
            alone = suspects.popleft()
            if (yield from _in_a_pool(deque([alone]), 1, cores())):
                yield Failed(alone, WorkerLostError())


def _in_a_pool(waiting: deque[Job], workers: int, threads: int) -> Generator[Event, None, list[Job]]:
    """Carry out runs, which are taken from `waiting` as they begin.

    Returns:
        those that were going on when a worker was killed; with it the whole pool has ended.
    """
    going: dict[Future[RunResults | ProtocolResults], Job] = {}
    told: dict[str, int] = {}
    with worker_pool(workers, _prepare_worker, (max(threads, 1),)) as pool:
        while waiting or going:
            while waiting and len(going) < workers:
                job = waiting.popleft()
                try:
                    going[pool.submit(_work, job)] = job
                except BrokenProcessPool:
                    waiting.appendleft(job)
                    return list(going.values())
                yield Started(job)
            done, _ = wait(going, timeout=POLL, return_when=FIRST_COMPLETED)
            yield from _epochs(going.values(), told)
            for future in sorted(done, key=list(going).index):
                if isinstance(future.exception(), BrokenProcessPool):
                    return list(going.values())
                yield _outcome(going.pop(future), future)
    return []


def _outcome(job: Job, future: Future[RunResults | ProtocolResults]) -> Event:
    error = future.exception()
    if isinstance(error, Exception):
        return Failed(job, error)
    return Finished(job, future.result())


def _epochs(jobs: Iterable[Job], told: dict[str, int]) -> Iterator[Event]:
    """What has been finished since it was told last; changes `told`."""
    for job in jobs:
        count = epochs_in(job)
        if count > told.get(job.name, 0):
            told[job.name] = count
            yield Progressed(job, count)


def _prepare_worker(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    set_quiet(True)


def _work(job: Job) -> RunResults | ProtocolResults:
    load_plugins(job.config.plugins)
    with warnings_of(job.name):
        return carry_out(job, _candidates)
