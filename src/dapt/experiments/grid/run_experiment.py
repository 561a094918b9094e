"""Carrying out an experiment: what is done is kept, what was interrupted goes on, what fails stops nothing else."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from dapt.console import say, warn
from dapt.errors import ConfigError, DaptError, DataError
from dapt.experiments.executors.base import Executor, Failed, Finished, Job, Progressed, Started, WorkerLostError
from dapt.experiments.executors.local import LocalExecutor
from dapt.experiments.grid.expand import Cell, Cells, expand
from dapt.experiments.grid.experiment import Experiment
from dapt.experiments.grid.experiment_folder import CellRecord, ExperimentFolder, Status
from dapt.experiments.grid.live import Progress, View, main_figure, spoken
from dapt.experiments.grid.prepared import CellCheck, Prepared
from dapt.experiments.grid.unfinished import OVERWRITE, UnfinishedError, Wrong, unfinished
from dapt.experiments.run_all import told
from dapt.experiments.stores import Store
from dapt.results import Figures, ProtocolResults, RunResults
from dapt.runs.run_folder import RunFolder
from dapt.runs.run_names import data_name
from dapt.runs.torchrun import refuse_torchrun


@dataclass
class Planned:
    """What is to be done for an experiment.

    Attributes:
        folder: with the records of all cells. cells: see `expand`. todo: cells to carry out. done: those that are
            finished. contradictory: what is wrong with cells that cannot be run, by name. others: why cells are left
            alone whose folders hold what was made with other settings or data.
    """

    folder: ExperimentFolder
    cells: Cells
    todo: list[Prepared] = field(default_factory=list)
    done: list[Cell] = field(default_factory=list)
    contradictory: dict[str, DaptError] = field(default_factory=dict)
    others: dict[str, DaptError] = field(default_factory=dict)

    def check(self) -> None:
        """Whether every cell is done or can be run.

        Raises:
            UnfinishedError: naming those that cannot.
        """
        if error := self.unfinished({}, "can be run or are done"):
            raise error

    def unfinished(self, failed: dict[str, Exception], rest: str) -> UnfinishedError | None:
        """What is wrong with cells, None if nothing is; see `dapt.experiments.grid.unfinished`."""
        wrong = Wrong(failed, self.contradictory, self.others)
        return unfinished(wrong, len(self.cells.cells), rest, self.folder.result)


def plan_experiment(experiment: Experiment, *, overwrite: bool = False, here: bool = True) -> Planned:
    """What is to be done; nothing is changed.

    Args:
        overwrite: carry out again what was made with other settings.
        here: it is this machine that carries the runs out, not a cluster.

    Raises:
        ConfigError: the experiment's folder cannot be used, or nothing is to be run.
    """
    refuse_torchrun("dapt run")
    cells = expand(experiment)
    store = None if experiment.store is None else Store(experiment.store)
    folder = ExperimentFolder(experiment.out, experiment.name, store=store)
    folder.look(cells.cells)
    planned = Planned(folder, cells)
    check = CellCheck(experiment.out, here=here, store=experiment.store)
    for cell in cells.cells:
        try:
            prepared = check(cell)
            done = folder.is_done(cell, prepared.key)
        except DaptError as error:
            planned.contradictory[cell.name] = error
            continue
        if done:
            planned.done.append(cell)
            continue
        other = _other_run(folder, prepared)
        if other is not None and not overwrite:
            planned.others[cell.name] = other
            continue
        if other is not None or (overwrite and folder.holds_another(cell, prepared.key)):
            prepared = replace(prepared, job=replace(prepared.job, overwrite=True))
        planned.todo.append(prepared)
    return planned


def _other_run(folder: ExperimentFolder, prepared: Prepared) -> DaptError | None:
    """What the folder of a cell holds, if that was made with other settings or other data; None where it goes on."""
    cell = prepared.cell
    if cell.protocol is None:
        try:
            RunFolder(cell.folder).check(prepared.runs[0], resume=True, overwrite=False)
        except ConfigError as error:
            return ConfigError(error.what, todo=OVERWRITE)
    if folder.records[cell.name].key and folder.holds_another(cell, prepared.key) and begun_in(prepared.job):
        return ConfigError("It was made with other settings, other data or another version of dapt.", todo=OVERWRITE)
    return None


def run_experiment(planned: Planned, *, executor: Executor | None = None, retries: int = 1) -> ExperimentFolder:
    """Carry out what is planned.

    Args:
        executor: None: on this machine, one after the other. retries: how often a cell goes on after something that
            may pass: a process that was killed, memory or files that were not to be had.

    Returns:
        the folder with the records of all cells.

    Raises:
        UnfinishedError: cells failed, or contradict themselves; all others are done.
        Exception: a fault of dapt's own, once all others are done.
    """
    folder = planned.folder
    executor = executor or LocalExecutor()
    epochs = {each.cell.name: sum(run.epochs for run in each.runs) for each in planned.todo}
    progress = Progress(len(planned.todo), epochs, len(planned.done))
    for sentence in planned.cells.remarks:
        warn(sentence)
    with folder.lock:
        folder.begin()
        for name, why in planned.contradictory.items():
            if folder.records[name].status != "done":  # what was done stays done, whatever is missing now
                _note(folder.records[name], "contradictory", told(why))
        try:
            with View(progress).shown() as view:
                failed = _carried_out(planned.todo, executor, folder, view, retries)
        finally:
            _forget_running(folder.records.values())
            folder.write(now=True)
    for fault in failed.values():
        if not isinstance(fault, DaptError) and not may_pass(fault):
            raise fault
    if error := planned.unfinished(failed, "are done"):
        raise error
    total = len(planned.cells.cells)
    say(f"{'the only cell is' if total == 1 else f'all {total} cells are'} done: {folder.result}")
    say(f"tables: dapt report {shlex.quote(folder.place)}")
    return folder


def _carried_out(
    todo: list[Prepared], executor: Executor, folder: ExperimentFolder, view: View, retries: int
) -> dict[str, Exception]:
    """Every cell once, then again those that failed with what may pass.

    Returns:
        what has failed for good, by name.
    """
    failed: dict[str, Exception] = {}
    telling = _Telling()
    waiting = todo
    for left in range(retries, -1, -1):
        telling.retries = left
        ended = _round(waiting, executor, folder, view, telling)
        again = [each for each in waiting if left and may_pass(ended.get(each.cell.name))]
        names = {each.cell.name for each in again}
        failed |= {name: error for name, error in ended.items() if name not in names}
        if not again:
            break
        for each in again:
            warn(f"{each.cell.name}: {told(ended[each.cell.name])} It is tried again.")
        waiting = again
    for name, error in failed.items():
        _note(folder.records[name], "failed", told(error))
        view.progress.failed += 1
    return failed


class _Telling:
    """Tells of cells as they fail: of each reason once, and of nothing that the runs of a protocol have told or that
    is tried again.

    Attributes:
        retries: how often what may pass is still tried again.
    """

    def __init__(self) -> None:
        self.retries = 0
        self._first: dict[str, str] = {}

    def __call__(self, job: Job, error: Exception) -> None:
        if job.protocol is not None or (self.retries and may_pass(error)):
            return
        reason = told(error)
        first = self._first.setdefault(reason, job.name)
        warn(f"{job.name} failed: {reason}" if first == job.name else f"{job.name} failed as {first} did.")


def _round(
    waiting: list[Prepared], executor: Executor, folder: ExperimentFolder, view: View, telling: _Telling
) -> dict[str, Exception]:
    """Carry out cells, each once; what failed, by name."""
    failed: dict[str, Exception] = {}
    begun: dict[str, float] = {}
    keys = {each.cell.name: each.key for each in waiting}
    for each in waiting:
        executor.submit(each.job)
    try:
        for event in executor.events():
            name, progress = event.job.name, view.progress
            record = folder.records[name]
            if isinstance(event, Started):
                begun[name] = time.monotonic()
                progress.running[name] = 0
                _note(record, "running")
                record.tries += 1
                if event.job.overwrite or not begun_in(event.job):
                    record.key = keys[name]
            elif isinstance(event, Progressed):
                progress.running[name] = event.epochs
            elif isinstance(event, Finished):
                progress.ended(name)
                try:
                    folder.fetch(name)
                except DataError as error:
                    failed[name] = error
                    _note(record, "waiting", told(error))
                    telling(event.job, error)
                    continue
                progress.done += 1
                record.key, record.metrics = keys[name], figures_of(event.results)
                record.seconds = round(time.monotonic() - begun[name], 1)
                _note(record, "done")
                progress.take(data_name(event.job.config.data), name, record.metrics)
                view.tell(f"{name}: {_summary(record)}")
            elif isinstance(event, Failed):
                progress.ended(name)
                failed[name] = event.error
                _note(record, "waiting", told(event.error))
                telling(event.job, event.error)
            folder.write()
    except BaseException:
        executor.cancel()
        raise
    return failed


def begun_in(job: Job) -> bool:
    """Whether the folder of a cell holds something that may be gone on with."""
    out = Path(job.config.out or "")
    return (out / "run.yaml").is_file() or any(out.glob("*/run.yaml"))


def may_pass(error: Exception | None) -> bool:
    """Whether what a cell ended with may be gone at the next try: memory, files and processes, not settings or data."""
    if isinstance(error, WorkerLostError | MemoryError | OSError):
        return True
    return error is not None and type(error).__name__ in ("OutOfMemoryError", "AcceleratorError")


def figures_of(results: RunResults | ProtocolResults) -> dict[str, Figures]:
    """The figures of a cell by row; those of a single run are called ``run``."""
    if isinstance(results, ProtocolResults):
        return {row.point: dict(row.metrics) for row in results.rows}
    return {"run": dict(results.metrics)}


def _summary(record: CellRecord) -> str:
    found = main_figure(record.metrics)
    figure = f"{found[0]} {found[1]:.2f}" if found is not None else "done"
    return f"{figure} after {spoken(record.seconds or 0)}"


def _note(record: CellRecord, status: Status, error: str | None = None) -> None:
    record.status, record.error = status, error


def _forget_running(records: Iterable[CellRecord]) -> None:
    for record in records:
        if record.status == "running":
            _note(record, "waiting", "interrupted")
