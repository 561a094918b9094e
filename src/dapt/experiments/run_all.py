"""Several runs as one piece of work: carried out by an executor, shown as they get on, gathered at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dapt.config import RunConfig
from dapt.console import progress, say, warn
from dapt.errors import DaptError
from dapt.experiments.executors.base import Event, Executor, Failed, Finished, Job, Progressed, Started
from dapt.experiments.executors.local import LocalExecutor
from dapt.results import RunResults

RESUME = "Mend that and go on with --resume."


@dataclass(frozen=True)
class Outcome:
    """What has become of a group of runs.

    Attributes:
        results: of the runs that are done, by name. failed: what the others ended with.
    """

    results: dict[str, RunResults] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)

    def whole(self) -> dict[str, RunResults]:
        """The results, if no run has failed.

        Raises:
            DaptError: what the runs ended with. Exception: a fault of dapt's own in one of them.
        """
        if not self.failed:
            return self.results
        for error in self.failed.values():
            if not isinstance(error, DaptError):
                raise error
        first = next(iter(self.failed.values()))
        if not self.results and len({str(error) for error in self.failed.values()}) == 1:
            raise first
        raise DaptError(
            f"{len(self.failed)} of {len(self.failed) + len(self.results)} runs failed; the others are kept.",
            more=[f"{name}: {told(error)}" for name, error in self.failed.items()],
            todo=getattr(first, "todo", None) or RESUME,
        )


def told(error: Exception) -> str:
    """An error in one line."""
    return error.what if isinstance(error, DaptError) else f"{type(error).__name__}: {error}"


def run_all(
    configs: Mapping[str, RunConfig],
    *,
    label: str,
    jobs: int = 1,
    executor: Executor | None = None,
    overwrite: bool = False,
    within: Path | None = None,
) -> Outcome:
    """Train and evaluate every configuration; finished ones are kept, interrupted ones go on, unless overwritten.

    A run that fails does not stop the others.

    Args:
        configs: by name; every one has its own `out` folder. label: what the progress bar is called.
        jobs: runs at the same time on this machine. executor: something else to carry them out.
        within: folder of all of them, which is not made: it has to be there.
    """
    executor = executor or LocalExecutor(jobs)
    for name, config in configs.items():
        executor.submit(Job(name, config, overwrite, within))
    outcome = Outcome()
    alone = isinstance(executor, LocalExecutor) and (executor.jobs == 1 or len(configs) == 1)
    try:
        if alone:  # each run shows bars of its own
            for number, event in _numbered(executor.events()):
                if isinstance(event, Started):
                    say(f"{label} {number}/{len(configs)}: {event.job.name}")
                _take(event, outcome)
        else:
            total = sum(config.epochs for config in configs.values())
            for _ in progress(_epochs(executor.events(), outcome), total, label, "epochs"):
                pass
    except BaseException:
        executor.cancel()
        raise
    return outcome


def _numbered(events: Iterator[Event]) -> Iterator[tuple[int, Event]]:
    number = 0
    for event in events:
        number += isinstance(event, Started)
        yield number, event


def _epochs(events: Iterator[Event], outcome: Outcome) -> Iterator[None]:
    """Yield once for every epoch that any of the runs has finished."""
    counted: dict[str, int] = {}
    for event in events:
        if isinstance(event, Progressed):
            for _ in range(event.epochs - counted.get(event.job.name, 0)):
                yield
            counted[event.job.name] = event.epochs
        if isinstance(event, Finished) and isinstance(event.results, RunResults):
            say(f"{event.job.name}: {_summary(event.results)}")
        _take(event, outcome)


def _take(event: Event, outcome: Outcome) -> None:
    if isinstance(event, Finished) and isinstance(event.results, RunResults):  # a single run, as all of these are
        outcome.results[event.job.name] = event.results
    if isinstance(event, Failed):
        warn(f"{event.job.name} failed: {told(event.error)}")
        outcome.failed[event.job.name] = event.error


def _summary(results: RunResults) -> str:
    metrics = results.metrics
    shown = ("test/accuracy", "test/worst_group", "cue/foreground_attention")
    parts = [f"{name} {metrics[name]:.1f}" for name in shown if metrics.get(name) is not None]
    seconds = results.timing.get("training_seconds")
    return ", ".join(parts) + ("" if seconds is None else f" after {seconds:.0f} s")
