"""One run from configuration to results: `run_training`."""

from __future__ import annotations

import logging
import multiprocessing
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from dapt import console
from dapt.clip.load import load_clip
from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.data.load.image_cache import ImageCache
from dapt.devices import pick_device
from dapt.errors import ConfigError, DaptError, DataError
from dapt.evaluation.evaluate import evaluate
from dapt.outputs import check_apart
from dapt.runs.absolute_paths import with_absolute_paths
from dapt.runs.apart import advice, check_files_apart, named_inputs
from dapt.runs.candidate_cache import CandidateCache
from dapt.runs.checkpoint import save_state
from dapt.runs.finish import finish_run
from dapt.runs.identity import check_unchanged, fingerprint, identity
from dapt.runs.keep import StateKeeper
from dapt.runs.prepare import Prepared, prepare
from dapt.runs.run_data import RunData, describe_split, load_run_data
from dapt.runs.run_folder import RunFolder, read_results
from dapt.runs.run_names import default_folder
from dapt.runs.selecting import check_selection, reselected, select_images
from dapt.streams import guard_stderr
from dapt.training.fit import Fitter, Progress
from dapt.training.step import TrainStep


def run_training(
    config: RunConfig,
    *,
    resume: bool = False,
    overwrite: bool = False,
    candidates: CandidateCache | None = None,
    within: Path | None = None,
) -> dict[str, Any]:
    """Train and evaluate; write the run folder.

    Everything that can be wrong with the data, the model, the masks and the folder is found before anything
    is written.

    Args:
        config: resolved configuration. resume: go on with an interrupted run in the same folder.
        overwrite: remove the run that the folder holds and start again; nothing else is ever removed.
        candidates: what selectors looked at in earlier runs of a group. within: folder of the group, which is not made.

    Returns:
        the content of results.json.

    Raises:
        DaptError: anything the user can mend.
    """
    config = with_absolute_paths(config)
    _check_devices(config)
    folder = RunFolder(Path(config.out) if config.out else default_folder(config), within)
    check_apart(folder.path, named_inputs(config), todo=advice(config))
    folder.check(config, resume=resume, overwrite=overwrite)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    lines: list[str] = []
    console.keep_lines(lines)
    try:
        if (resume or overwrite) and folder.is_ours:  # a folder that may yet be refused gets no lock
            folder.lock.take()
        if resume and folder.done:
            folder.lock.take()
            folder.sweep()
            folder.verify()
            if not folder.inputs_file.is_file():
                say(f"{folder.path} is finished already; version 0.1.0 did not note what it was made from.")
                return read_results(folder)
        device = pick_device(config.device)
        cache = ImageCache(config.cache_mb if config.devices == 1 else 0)  # several processes have one each
        check_selection(config)
        data = load_run_data(config, cache)
        check_files_apart(folder.path, data.source, config.data, todo=advice(config))
        clip = load_clip(config.model, device=device, precision=config.precision)
        going_on = resume and folder.started
        earlier = folder.earlier_split() if going_on else None
        if earlier is not None and "selection" in earlier:
            data = reselected(config, data, earlier)
        else:
            data = select_images(config, data, lambda: clip, cache, candidates)
        split = describe_split(data)
        if earlier is not None and earlier != split:
            raise DataError(
                f"The images of {config.data} have changed since the run in {folder.path} was started.",
                todo="Restore them, or pass --overwrite to start again.",
            )
        inputs = fingerprint(config, data, clip)
        if going_on:
            check_unchanged(folder.earlier_inputs(), inputs, run=folder.path, data=config.data)
        if resume and folder.done:
            say(f"{folder.path} is finished already.")
            return read_results(folder)
        prepared = prepare(config, data, clip, cache)
        folder.begin(config, resume=resume, overwrite=overwrite, split=split, inputs=inputs)
        work = Work(config, folder, data, identity(config, inputs), lines)
        _launch(work, device, prepared)
    except BaseException:
        if config.devices == 1:  # several processes write it themselves
            _save_log(folder, lines)
        folder.lock.abandon()
        raise
    finally:
        console.keep_lines(None)
        folder.lock.release()
    return read_results(folder)


def _save_log(folder: RunFolder, lines: list[str]) -> None:
    """Write the log of a run that failed; that failure is the one to tell, whatever happens here.

    A folder that was refused, or not reached, keeps its log as it is; that of a run that is done is sealed.
    """
    if not folder.begun or not folder.is_there() or folder.done:
        return
    try:
        folder.write_log(lines)
    except DaptError as error:
        warn(f"The log was not written. {error.what}")


def _launch(work: Work, device: str, prepared: Prepared) -> None:
    """Train in this process, or in as many as were asked for."""
    from lightning_fabric import Fabric

    kind, devices = torch.device(device).type, work.config.devices
    if devices == 1:
        index = torch.device(device).index
        fabric = Fabric(accelerator=kind, devices=1 if index is None else [index], precision="32-true")
        _train(fabric, work, prepared)
        return
    fabric = Fabric(accelerator=kind, devices=devices, strategy="ddp_spawn", precision="32-true")
    # bound beforehand: Fabric takes launch arguments apart, which frozen dataclasses do not allow
    bound = partial(_worker, work=work, quiet=console.is_quiet())
    try:
        fabric.launch(bound)
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():
            child.terminate()
        raise


@dataclass
class Work:
    """A run whose folder has been begun.

    Attributes:
        identity: of configuration and inputs, see `dapt.runs.identity`. log: lines of log.txt so far; what is
            said is appended to it.
    """

    config: RunConfig
    folder: RunFolder
    data: RunData
    identity: str
    log: list[str]


def _check_devices(config: RunConfig) -> None:
    batch = config.batch_size
    if batch % config.devices:
        raise ConfigError(
            f"A batch of {batch} images cannot be divided among {config.devices} devices.",
            todo="Choose a --batch-size that --devices divides.",
        )
    if config.devices > 1 and config.device.startswith("cuda"):
        there = torch.cuda.device_count()
        if config.devices > there:
            raise ConfigError(f"{config.devices} devices were asked for, this machine has {there} GPUs.")


def _worker(fabric: Any, work: Work, quiet: bool) -> None:
    """The run on one process of several; the first one speaks and writes."""
    guard_stderr()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    console.set_quiet(True)  # what preparing says has been said by the parent process
    clip = load_clip(work.config.model, device=str(fabric.device), precision=work.config.precision)
    prepared = prepare(work.config, work.data, clip)
    console.set_quiet(quiet or not fabric.is_global_zero)
    console.keep_lines(work.log if fabric.is_global_zero else None)
    try:
        _train(fabric, work, prepared)
    except BaseException:
        if fabric.is_global_zero:
            _save_log(work.folder, work.log)
        raise


def _train(fabric: Any, work: Work, prepared: Prepared) -> None:
    started = time.perf_counter()
    progress = Progress()
    config = work.config
    if config.epochs and prepared.model.prompts.count():
        progress = _fit(fabric, work, prepared)
    if fabric.is_global_zero:
        selection = selection_of(config, work.data, prepared.step)
        seconds = time.perf_counter() - started
        finish_run(config, work.folder, work.data, prepared, progress, seconds, selection, work.log)


def _fit(fabric: Any, work: Work, prepared: Prepared) -> Progress:
    config, folder, data = work.config, work.folder, work.data
    selection = selection_of(config, data, prepared.step)
    judged = data.val if selection == "best_val" else data.test

    def validate() -> float | None:
        model = prepared.model
        model.set_classes(judged.names)
        found = evaluate(
            model,
            judged.items,
            judged.labels,
            batch_size=config.eval_batch_size,
            workers=config.workers,
            label="choosing the epoch",
        )
        model.set_classes(data.train.names)
        return found.metrics("val")["val/accuracy"]

    selects = selection in ("best_val", "best_test")
    keeper = StateKeeper(folder, work.identity, prepared.model.clip.device.type, work.log)
    fitter = Fitter(
        config,
        prepared.step,
        prepared.images,
        prepared.cue,
        fabric,
        validate=validate if selects else None,
        after_epoch=lambda state, progress: keeper.keep(state, progress, save_state),
    )
    if folder.checkpoint_file.is_file():
        fitter.load_state(keeper.load())
        if fabric.is_global_zero:
            keeper.restore()
        say(f"resuming after epoch {fitter.progress.epoch}")
    try:
        return fitter.fit()
    finally:
        prepared.images.close()


def selection_of(config: RunConfig, data: RunData, step: TrainStep) -> str:
    """Which parameters are the result: ``best_val``, ``best_test``, ``average`` (over epochs) or ``last``."""
    judged = {"best_val": data.val, "best_test": data.test}.get(config.model_selection)
    if judged is not None and judged.items:
        return config.model_selection
    return "last" if step.epoch_weights(config.epochs) is None else "average"
