"""Runs on a Ray cluster, a task for each."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.clusters import joined
from dapt.console import warn
from dapt.errors import DataError
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
from dapt.experiments.executors.needs import Needs, elsewhere, needs_of
from dapt.experiments.executors.ray_cluster import Nodes, probed
from dapt.experiments.executors.ray_work import Desk, Ended, Note, Order, Probe, Unfit, work
from dapt.plugins import plugin_file

POLL_S = 0.5
NODES_S = 5.0  # between two looks at which nodes there are
STOP_S = 10.0  # for runs to stop when they are cancelled
AT_ONCE = 1000  # runs that are handed to Ray, which starts as many of them as the cluster has room for


@EXECUTORS.register("ray")
class RayExecutor(GatheringExecutor):
    """Runs on a Ray cluster.

    Args:
        address: see `dapt.clusters.joined`. jobs: runs at the same time; None: as the cluster has room for.
        cpus: processor cores of each process of a run, which are the threads that it computes with.
    """

    def __init__(self, address: str = "auto", jobs: int | None = None, cpus: int = 1) -> None:
        super().__init__()
        self.address = address
        self.jobs = jobs
        self.cpus = cpus

    def _carried_out(self, jobs: list[Job]) -> Generator[Event, None, None]:
        if not jobs:
            return
        with ExitStack() as stack:
            folder = None if jobs[0].store is not None else jobs[0].within
            probe = stack.enter_context(probed(folder)) if folder is not None and folder.is_dir() else None
            stack.enter_context(joined(self.address))
            import ray

            nodes = Nodes(ray)
            needs = {job.name: needs_of(job, self.cpus, nodes.have_gpus) for job in jobs}
            nodes.look(probe, needs.values())
            yield from _Round(ray, nodes, probe, needs).carry_out(jobs, self.jobs or AT_ONCE)


@dataclass
class _Task:
    """A run that Ray has.

    Attributes:
        node: id of the node that has begun it, empty before.
    """

    job: Job
    node: str = ""


class _Round:
    """Runs that are carried out together."""

    def __init__(self, ray: Any, nodes: Nodes, probe: Probe | None, needs: dict[str, Needs]) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray, self._nodes, self._probe, self._needs = ray, nodes, probe, needs
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._desk = ray.remote(num_cpus=0, scheduling_strategy=here)(Desk).remote()
        self._tasks: dict[Any, _Task] = {}
        self._asked: Any = None  # for notes, which have not come yet
        self._begun: set[str] = set()

    def carry_out(self, jobs: list[Job], at_once: int) -> Generator[Event, None, None]:
        """All runs, so many of them at the same time; those that are going on are stopped with the generator."""
        waiting = jobs[::-1]
        looked = time.monotonic()
        try:
            while waiting or self._tasks:
                while waiting and len(self._tasks) < at_once:
                    yield from self._hand_over(waiting.pop())
                if not self._tasks:
                    continue
                done, _ = self._ray.wait(list(self._tasks), num_returns=1, timeout=POLL_S)
                yield from self._told(STOP_S if done else 0.1)
                for reference in done:
                    yield from self._outcome(reference)
                if time.monotonic() - looked > NODES_S:
                    looked = time.monotonic()
                    yield from self._stranded()
        finally:
            self._stop()

    def _hand_over(self, job: Job) -> Iterator[Event]:
        """Give a run to Ray, or tell that no node can carry it out."""
        needs = self._needs[job.name]
        if problem := self._nodes.problem(needs):
            yield from self._begin(job)
            yield Failed(job, DataError(problem, todo="Look at the nodes: ray status."))
            return
        texts = {file: plugin_file(file).read_bytes() for file in job.config.plugins}
        order = Order(needs.cpus // max(job.config.devices, 1), needs.places, texts, self._probe)
        task = self._ray.remote(**self._nodes.options(needs))(work)
        self._tasks[task.remote(elsewhere(job), order, self._desk)] = _Task(job)

    def _told(self, wait_s: float) -> Iterator[Event]:
        """What the runs have told since the last time, as far as it comes at once."""
        self._asked = self._asked or self._desk.take.remote()
        ready, _ = self._ray.wait([self._asked], timeout=wait_s)
        if not ready:
            return
        try:
            notes: list[Note] = self._ray.get(self._asked)
        except self._ray.exceptions.RayError:  # its process was killed: runs go on, only less is told of them
            notes = []
        self._asked = None
        tasks = {task.job.name: task for task in self._tasks.values()}
        for note in notes:
            task = tasks.get(note.name)
            if note.kind == "warning":
                warn(f"{note.name}: {note.value}")
            elif task is not None and note.kind == "started":
                task.node = note.value
                yield from self._begin(task.job)
            elif task is not None and note.kind == "epochs":
                yield Progressed(task.job, note.value)

    def _begin(self, job: Job) -> Iterator[Event]:
        if job.name not in self._begun:
            self._begun.add(job.name)
            yield Started(job)

    def _outcome(self, reference: Any) -> Iterator[Event]:
        task = self._tasks.pop(reference)
        job = task.job
        try:
            ended = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            yield from self._begin(job)
            yield Failed(job, self._lost(task, error))
            return
        if isinstance(ended, Unfit):
            folder = str(job.within or Path(job.config.out or "").parent)
            self._nodes.refresh()
            self._nodes.note_unfit(ended.node, ended.problem, ended.missing, folder)
            yield from self._hand_over(job)
            return
        assert isinstance(ended, Ended)
        yield from self._begin(job)
        if ended.results is not None:
            yield Finished(job, ended.results)
            return
        fault = ended.error or RuntimeError("it ended without results")
        if ended.trace and hasattr(fault, "add_note"):
            fault.add_note(f"On node {self._nodes.name(task.node)}:\n{ended.trace}")
        yield Failed(job, fault)

    def _lost(self, task: _Task, error: Exception) -> Exception:
        """Why Ray has no result of a run."""
        known = self._ray.exceptions
        where = f" on node {self._nodes.name(task.node)}" if task.node else ""
        if isinstance(error, known.OutOfMemoryError):
            return WorkerLostError(f"Ray ended its process{where} because memory ran out.")
        if isinstance(error, known.RuntimeEnvSetupError):
            return WorkerLostError(f"The code of dapt could not be brought to a node: {str(error).splitlines()[-1]}")
        if isinstance(error, known.RayTaskError):  # none of a run: those come as `Ended`
            return RuntimeError(f"The run could not be carried out{where}: {error}")
        self._nodes.refresh()
        if task.node and task.node not in self._nodes.alive:
            return WorkerLostError(f"The node {self._nodes.name(task.node)} was lost.")
        return WorkerLostError(f"Its process{where} was killed from outside, or its node was lost.")

    def _stranded(self) -> Iterator[Event]:
        """Runs that wait for a node that is not there any more."""
        self._nodes.refresh()
        for reference, task in list(self._tasks.items()):
            if not task.node and (problem := self._nodes.problem(self._needs[task.job.name])):
                del self._tasks[reference]
                self._ray.cancel(reference, force=True)
                yield from self._begin(task.job)
                yield Failed(task.job, WorkerLostError(problem))

    def _stop(self) -> None:
        """Interrupt what is going on, as Ctrl-C would; who does not stop is ended with the connection."""
        references = list(self._tasks)
        for reference in references:
            self._ray.cancel(reference, force=False)
        if references:
            self._ray.wait(references, num_returns=len(references), timeout=STOP_S)
