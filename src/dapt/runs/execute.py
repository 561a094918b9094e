"""Carrying out a run that is ready: training in this process or in several, then finishing it."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from dapt import console
from dapt.clip.linear_choice import Choice
from dapt.clip.load import load_clip
from dapt.config import RunConfig
from dapt.console import say, warn, warnings_to
from dapt.errors import DaptError
from dapt.evaluation.evaluate import evaluate
from dapt.plugins import load_plugins
from dapt.results import RunResults
from dapt.runs.events import EventsFile
from dapt.runs.finish import finish_run
from dapt.runs.following import Following
from dapt.runs.keep import StateKeeper
from dapt.runs.prepare import Prepared, prepare
from dapt.runs.run_data import RunData
from dapt.runs.run_folder import RunFolder, read_results
from dapt.runs.torchrun import Group
from dapt.streams import guard_stderr
from dapt.training.fit import Fitter, Progress, State

AfterEpoch = Callable[[Progress], None]

# A process that Fabric starts imports this module before it joins the others, which Lightning would tell of.
logging.getLogger("lightning_fabric.utilities").setLevel(logging.WARNING)


@dataclass
class Work:
    """A run whose folder has been begun.

    Attributes:
        device: where it computes. identity: of configuration and inputs, see `dapt.runs.identity`.
        log: lines of log.txt so far; what is said is appended to it.
        after_epoch: called after every epoch, once its state is kept; with several processes by the first of them.
        group: of runs that it belongs to, for trackers. baselines: to be found beside it. multiplied_by: which library
            multiplies in all its processes, where there is a choice.
    """

    config: RunConfig
    folder: RunFolder
    data: RunData
    device: str
    identity: str
    log: list[str]
    after_epoch: AfterEpoch | None = None
    group: str | None = None
    baselines: bool = False
    multiplied_by: Choice | None = None


def execute(work: Work, prepared: Prepared, group: Group | None = None) -> RunResults:
    """Train, in this process or in as many as were asked for, and finish.

    Args:
        group: the processes that torchrun has started, this one being the first; None: there are none.

    Raises:
        DaptError: the loss is not finite, or the file system refuses.
    """
    from lightning_fabric import Fabric

    if group is not None:
        group.tell(replace(work, after_epoch=None))
        results = _first(_train(group.fabric, work, prepared))
        group.wait()
        return results
    kind, devices = torch.device(work.device).type, work.config.devices
    if devices == 1:
        index = torch.device(work.device).index
        fabric = Fabric(accelerator=kind, devices=1 if index is None else [index], precision="32-true")
        return _first(_train(fabric, work, prepared))
    prepared.leave_device()  # every process loads its own
    fabric = Fabric(accelerator=kind, devices=devices, strategy="ddp_spawn", precision="32-true")
    # bound beforehand: Fabric takes launch arguments apart, which frozen dataclasses do not allow
    bound = partial(_worker, work=work, quiet=console.is_quiet())
    try:
        return _first(fabric.launch(bound))
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():
            child.terminate()
        raise


def follow(group: Group) -> RunResults:
    """The part of a process of torchrun that is not the first: train along, then read what that one has written.

    Raises:
        SystemExit: the first process does not train, which it explains itself.
    """
    work: Work | None = group.hear()
    if work is None:
        raise SystemExit(0)
    try:
        _worker(group.fabric, work, quiet=True)
    except DaptError as error:
        warn(f"Process {group.fabric.global_rank} of the run failed: {error.what}")
        raise
    group.wait()
    return read_results(work.folder)


def _first(results: RunResults | None) -> RunResults:
    """The results of the first process, which has some."""
    assert results is not None
    return results


def save_log(folder: RunFolder, lines: list[str]) -> None:
    """Write the log of a run that failed; that failure is the one to tell, whatever happens here.

    A folder that was refused, or not reached, keeps its log as it is; that of a run that is done is sealed.
    """
    if not folder.begun or not folder.is_there() or folder.done:
        return
    try:
        folder.write_log(lines)
    except DaptError as error:
        warn(f"The log was not written. {error.what}")


def _worker(fabric: Any, work: Work, quiet: bool) -> RunResults | None:
    """The run on one process of several; the first one speaks, warns and writes."""
    guard_stderr()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    console.set_quiet(True)
    with warnings_to(_heard_before):
        load_plugins(work.config.plugins)
        clip = load_clip(work.config.model, device=str(fabric.device), precision=work.config.precision)
        clip.savings.choice = work.multiplied_by
        prepared = prepare(work.config, work.data, clip)
    console.set_quiet(quiet or not fabric.is_global_zero)
    console.keep_lines(work.log if fabric.is_global_zero else None)
    try:
        if fabric.is_global_zero:
            return _train(fabric, work, prepared)
        with warnings_to(_heard_before):
            return _train(fabric, work, prepared)
    except BaseException:
        if fabric.is_global_zero:
            save_log(work.folder, work.log)
        raise


def _heard_before(text: str) -> None:
    """Takes a warning that another process gives as well: the parent that prepared, or the first that trains."""


def _train(fabric: Any, work: Work, prepared: Prepared) -> RunResults | None:
    """Train and finish; the results, on the first process."""
    if not fabric.is_global_zero:
        if _has_epochs(work, prepared):
            _fit(fabric, work, prepared, EventsFile(work.folder), None)
        return None
    following = Following(work.config, work.folder, work.group)
    try:
        started = time.perf_counter()
        progress, events = Progress(), EventsFile(work.folder)
        if _has_epochs(work, prepared):
            progress = _fit(fabric, work, prepared, events, following)
        else:
            following.start([])
        seconds = progress.earlier + time.perf_counter() - started
        results = finish_run(
            work.config,
            work.folder,
            work.data,
            prepared,
            progress,
            seconds,
            work.log,
            events,
            baselines=work.baselines,
        )
    except BaseException as error:
        following.failed(error)
        raise
    following.finish(results, len(progress.lines))
    return results


def _has_epochs(work: Work, prepared: Prepared) -> bool:
    return bool(work.config.epochs and prepared.model.prompts.count())


def _fit(fabric: Any, work: Work, prepared: Prepared, events: EventsFile, following: Following | None) -> Progress:
    keeper = StateKeeper(work.folder, work.identity, prepared.model.clip.device.type, work.log, events)

    judge = partial(_accuracy, work, prepared) if prepared.model_selection in ("best_val", "best_test") else None

    def keep(state: State, progress: Progress) -> None:
        if judge is None and work.data.validation_only and fabric.world_size == 1:  # a search looks at every epoch
            progress.lines[-1]["val/accuracy"] = _accuracy(work, prepared)
        keeper.keep(state, progress)
        if following is not None:
            following.log(progress.lines[-1])
        if work.after_epoch is not None:
            work.after_epoch(progress)

    fitter = Fitter(
        work.config,
        prepared.step,
        prepared.images,
        prepared.cue,
        fabric,
        kept=prepared.kept,
        validate=judge,
        after_epoch=keep,
    )
    if work.folder.checkpoint_file.is_file():
        fitter.load_state(keeper.load())
        if fabric.is_global_zero:
            keeper.restore()
        say(f"resuming after epoch {fitter.progress.epoch}")
    elif fabric.is_global_zero:
        keeper.begin()
    if following is not None:
        following.start(fitter.progress.lines)
    try:
        done = fitter.fit()
    finally:
        fitter.images.close()
    return done


def _accuracy(work: Work, prepared: Prepared) -> float | None:
    """Accuracy in percent on the images by which the epoch is chosen."""
    model = prepared.model
    judged = work.data.test if prepared.model_selection == "best_test" else work.data.val
    model.set_classes(judged.names)
    found = evaluate(
        model,
        judged.items,
        judged.labels,
        batch_size=work.config.eval_batch_size,
        workers=work.config.workers,
        label="choosing the epoch",
        keep=prepared.encodings,
    )
    model.set_classes(work.data.train.names)
    return found.metrics("val")["val/accuracy"]
