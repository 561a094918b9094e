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
from dapt.clip.frozen import FrozenClip
from dapt.clip.load import load_clip
from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.cues.base import Cue
from dapt.cues.files import FileCue
from dapt.data.hub import absolute_hub
from dapt.data.loader import ImageCache, TrainImages
from dapt.data.pixels import use_setting
from dapt.data.sources import HUB_PREFIX, is_path
from dapt.data.transforms import train_transform
from dapt.errors import ConfigError, DaptError, DataError
from dapt.evaluation.evaluate import evaluate
from dapt.outputs import check_apart
from dapt.paths import with_home
from dapt.streams import guard_stderr
from dapt.training.apart import advice, check_files_apart, named_inputs
from dapt.training.build import build_cue, build_model, build_objectives, check_dapt, pick_device
from dapt.training.checkpoint import save_state
from dapt.training.data import RunData, describe_split, load_run_data
from dapt.training.features import training_set
from dapt.training.finish import finish_run
from dapt.training.fit import Fitter, Progress
from dapt.training.identity import check_unchanged, fingerprint, identity
from dapt.training.keep import StateKeeper
from dapt.training.model import PromptedClip, TrainStep
from dapt.training.run_folder import RunFolder, read_results
from dapt.training.run_names import default_folder
from dapt.training.seen import Seen
from dapt.training.selecting import check_selection, reselected, select_images


def run_training(
    config: RunConfig,
    *,
    resume: bool = False,
    overwrite: bool = False,
    seen: Seen | None = None,
    within: Path | None = None,
) -> dict[str, Any]:
    """Train and evaluate; write the run folder.

    Everything that can be wrong with the data, the model, the masks and the folder is found before anything
    is written.

    Args:
        config: resolved configuration. resume: go on with an interrupted run in the same folder.
        overwrite: remove the run that the folder holds and start again; nothing else is ever removed.
        seen: what selectors looked at in earlier runs of a group. within: folder of the group, which is not made.

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
            data = select_images(config, data, lambda: clip, cache, seen)
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
        identity: of configuration and inputs, see `dapt.training.identity`. log: lines of log.txt so far; what is
            said is appended to it.
    """

    config: RunConfig
    folder: RunFolder
    data: RunData
    identity: str
    log: list[str]


@dataclass
class Prepared:
    """A run that is ready to start: the first masks are read or computed."""

    step: TrainStep
    images: TrainImages
    cue: Cue | None

    @property
    def model(self) -> PromptedClip:
        """The prompted model."""
        return self.step.model


def prepare(config: RunConfig, data: RunData, clip: FrozenClip, cache: ImageCache | None = None) -> Prepared:
    """Build prompts and objectives, prepare the foreground cues.

    Args:
        clip: the frozen backbone. cache: decoded training images; None: a new one.

    Raises:
        DaptError: anything that does not fit together.
    """
    check_dapt(config)
    use_setting(config.max_pixels)  # in each of several processes
    if config.deterministic:
        torch.use_deterministic_algorithms(True)
    model = build_model(config, clip, data.train.names)
    cache = cache or ImageCache(config.cache_mb)
    transform = train_transform(clip.image.image_size, clip.preprocess, crop_scale=config.crop_scale, flip=config.flip)
    images = TrainImages(data.train.items, data.train.labels, transform, cache, config.seed)
    if data.weights is not None:
        images.weights = torch.tensor(data.weights)
    model.prompts.prepare(training_set(config, model, data, images))
    step = TrainStep(model, build_objectives(config, model))
    say(_headline(config, model))
    if config.epochs and model.prompts.count() and (config.warmup_epochs or 0) >= config.epochs:
        warn(
            f"Every epoch of this run is warm-up, at the rate {config.warmup_lr:g}: hardly anything is learned. Pass "
            "more --epochs, or --set warmup_epochs=0."
        )
    cue = build_cue(config, cache, data.source) if config.dapt.enabled else None
    if cue is not None:
        images.masks = cue.prepare(images.items, model)
        images.soft = config.cue.soft
        say(cue.report.summary())
        _check_cues(config, cue)
    elif config.cue.source != "auto" or config.masks:
        build_cue(config, cache, data.source)  # mistakes in unused options are mistakes, too
        warn("Foreground cues are only used with --dapt; without it the masks serve the attention figure at most.")
    return Prepared(step, images, cue)


def _check_devices(config: RunConfig) -> None:
    batch = config.batch_size or 1
    if batch % config.devices:
        raise ConfigError(
            f"A batch of {batch} images cannot be divided among {config.devices} devices.",
            todo="Choose a --batch-size that --devices divides.",
        )
    if config.devices > 1 and config.device.startswith("cuda"):
        there = torch.cuda.device_count()
        if config.devices > there:
            raise ConfigError(f"{config.devices} devices were asked for, this machine has {there} GPUs.")


def _check_cues(config: RunConfig, cue: Cue) -> None:
    """Refuse a DAPT run in which no image has a usable cue, unless that was asked for.

    Raises:
        DataError: all masks are missing, empty, full or unreadable, or mask files are read in the wrong format.
    """
    report = cue.report
    if isinstance(cue, FileCue):
        cue.check_convention()
    if report.without < report.total or config.cue.source == "none":
        return
    if len(report.missing) == report.total:
        raise DataError(
            "None of the images has a mask.",
            where=config.masks or "the data set's own masks",
            todo="Masks are found by the image's relative path with any image extension; see --masks, "
            "or use --cue gradcam.",
        )
    raise DataError(
        f"None of the images has a usable foreground cue: {len(report.empty)} masks empty, {len(report.full)} full, "
        f"{len(report.bad)} unreadable.",
        todo="Look at the masks, or use --cue gradcam.",
    )


def with_absolute_paths(config: RunConfig) -> RunConfig:
    """The configuration with absolute paths, so that the run folder can be used from anywhere."""

    def absolute(text: str) -> str:
        return str(Path(with_home(text)).absolute())

    changed: dict[str, Any] = {}
    if is_path(config.data):
        changed["data"] = absolute(config.data)
    elif config.data.startswith(HUB_PREFIX):
        changed["data"] = HUB_PREFIX + absolute_hub(config.data.removeprefix(HUB_PREFIX))
    for key in ("masks", "names", "root", "split_file"):
        if getattr(config, key):
            changed[key] = absolute(getattr(config, key))
    head, colon, path = config.model.partition(":")
    if colon and head != "hf-hub":
        changed["model"] = f"{head}:{absolute(path)}"
    if config.prompt.get("teacher"):
        changed["prompt"] = {**config.prompt, "teacher": absolute(config.prompt["teacher"])}
        kind, found, place = (config.prompt.get("teacher_model") or "").partition(":")
        if found and kind != "hf-hub":
            changed["prompt"]["teacher_model"] = f"{kind}:{absolute(place)}"
    return config.model_copy(update=changed)


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
    return "last" if step.epoch_weights(config.epochs or 0) is None else "average"


def _headline(config: RunConfig, model: PromptedClip) -> str:
    count = model.prompts.count()
    dapt = f" + DAPT ({config.dapt.variant})" if config.dapt.enabled else ""
    return (
        f"{config.method}{dapt} on {config.model}: {count:,} trainable parameters, {len(model.names)} classes, "
        f"{config.epochs} epochs, batch {config.batch_size}, lr {config.lr}, {model.clip.device}"
    )
