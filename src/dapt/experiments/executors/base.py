"""What an executor is: it carries out runs and tells how they get on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.config import RunConfig
from dapt.errors import DaptError
from dapt.registry import Registry
from dapt.results import ProtocolResults, RunResults


@dataclass(frozen=True)
class Job:
    """A run to be carried out, or a whole protocol.

    Attributes:
        name: by which events tell of it. config: resolved, with an `out` folder of its own.
        overwrite: start again; otherwise a finished run is kept and an interrupted one goes on.
        within: folder of a group of runs, which is not made: it has to be there.
        task: what carries it out; None: a single run. It has to be a function of a module, for other processes.
        protocol: its name, None for a single run. over: its points. settings: what `config` was made of, which a
            protocol fills in for each of its runs.
        store: address of the run's folder, where that is none of this machine (see `dapt.experiments.stores`).
    """

    name: str
    config: RunConfig
    overwrite: bool = False
    within: Path | None = None
    task: Callable[[Job], RunResults | ProtocolResults] | None = None
    protocol: str | None = None
    over: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    store: str | None = None


class WorkerLostError(DaptError):
    """The process that carried out a run was killed from outside.

    Args:
        what: one sentence, where more is known of it.
    """

    def __init__(self, what: str = "Its process was killed from outside, most likely because memory ran out.") -> None:
        super().__init__(what, todo="What was finished is kept: go on with fewer runs at a time.")


@dataclass(frozen=True)
class Started:
    """A run has been started."""

    job: Job


@dataclass(frozen=True)
class Progressed:
    """A run has finished so many `epochs`."""

    job: Job
    epochs: int


@dataclass(frozen=True)
class Finished:
    """A run is done."""

    job: Job
    results: RunResults | ProtocolResults


@dataclass(frozen=True)
class Failed:
    """A run has ended with an error; the others go on."""

    job: Job
    error: Exception


Event = Started | Progressed | Finished | Failed


class Executor(ABC):
    """Carries out runs: on this machine, on a cluster.

    Every run that was submitted ends in exactly one `Finished` or `Failed`, unless the executor is cancelled.
    """

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Take a run; it may start at once, or when events are asked for."""

    @abstractmethod
    def events(self) -> Iterator[Event]:
        """What happens to the runs that were submitted, until all of them have ended.

        Raises:
            DaptError: the executor itself cannot go on.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Stop what is running and forget what is not; the state of interrupted runs is kept."""


class GatheringExecutor(Executor):
    """One that begins nothing before events are asked for, and then carries out all that was submitted."""

    def __init__(self) -> None:
        self._waiting: list[Job] = []
        self._going: Generator[Event, None, None] | None = None

    def submit(self, job: Job) -> None:
        self._waiting.append(job)

    def events(self) -> Iterator[Event]:
        jobs, self._waiting = self._waiting, []
        self._going = self._carried_out(jobs)
        return self._going

    def cancel(self) -> None:
        self._waiting = []
        if self._going is not None:
            self._going.close()

    @abstractmethod
    def _carried_out(self, jobs: list[Job]) -> Generator[Event, None, None]:
        """The events of these runs; closing it stops what is running."""


EXECUTORS: Registry[type[Executor]] = Registry("executor", "dapt.experiments.executors")
