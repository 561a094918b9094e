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
from dapt.cues.base import Cue
from dapt.data.loader import ImageCache, TrainImages
from dapt.data.mask_files import mask_folder
from dapt.data.transforms import train_transform
from dapt.environment import describe, peak_memory_mb
from dapt.errors import ConfigError, DataError
from dapt.evaluation.evaluate import MaskSource, evaluate
from dapt.evaluation.halves import Figures, evaluate_halves
from dapt.files import read_json, write_json
from dapt.training.build import build_cue, build_model, build_objectives, pick_device
from dapt.training.checkpoint import load_state, save_prompts, save_state
from dapt.training.data import RunData, describe_split, load_run_data
from dapt.training.fit import Fitter, Progress, State
from dapt.training.model import PromptedClip, TrainStep
from dapt.training.run_folder import RunFolder, default_folder, read_results

SCHEMA = 1


def run_training(config: RunConfig, *, resume: bool = False, overwrite: bool = False) -> dict[str, Any]:
    """Train and evaluate; write the run folder.

    Everything that can be wrong with the data, the model, the masks and the folder is found before anything
    is written.

    Args:
        config: resolved configuration. resume: go on with an interrupted run in the same folder.
        overwrite: delete what the folder holds and start again.

    Returns:
        the content of results.json.

    Raises:
        DaptError: anything the user can mend.
    """
    from lightning_fabric import Fabric

    config = with_absolute_paths(config)
    _check_devices(config)
    folder = RunFolder(Path(config.out) if config.out else default_folder(config))
    folder.check(config, resume=resume, overwrite=overwrite)
    if resume and folder.done:
        say(f"{folder.path} is finished already.")
        return read_results(folder)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    lines: list[str] = []
    opened = False
    console.keep_lines(lines)
    try:
        device = pick_device(config.device)
        cache = ImageCache(config.cache_mb if config.devices == 1 else 0)  # several processes have one each
        data = load_run_data(config, cache)
        split = describe_split(data)
        if resume and folder.split_file.is_file() and read_json(folder.split_file) != split:
            raise DataError(
                f"The images of {config.data} have changed since the run in {folder.path} was started.",
                todo="Restore them, or pass --overwrite to start again.",
            )
        prepared = prepare(config, data, device, cache)
        folder.open(config, overwrite=overwrite)
        opened = True
        write_json(folder.split_file, split)
        kind = torch.device(device).type
        if config.devices > 1:
            strategy = "ddp_spawn"
            fabric = Fabric(accelerator=kind, devices=config.devices, strategy=strategy, precision="32-true")
            # bound beforehand: Fabric takes launch arguments apart, which frozen dataclasses do not allow
            folder.write_log(lines)
            lines.clear()
            work = partial(_worker, config=config, path=str(folder.path), data=data, quiet=console.is_quiet())
            try:
                fabric.launch(work)
            except KeyboardInterrupt:
                for child in multiprocessing.active_children():
                    child.terminate()
                raise
        else:
            index = torch.device(device).index
            fabric = Fabric(accelerator=kind, devices=1 if index is None else [index], precision="32-true")
            _train(fabric, config, folder, data, prepared)
    finally:
        console.keep_lines(None)
        if opened:  # a folder that was refused, or not reached, keeps its log as it is
            folder.write_log(lines)
    return read_results(folder)


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


def prepare(config: RunConfig, data: RunData, device: str, cache: ImageCache | None = None) -> Prepared:
    """Load the backbone, build prompts and objectives, prepare the foreground cues.

    Args:
        cache: decoded training images; None: a new one.

    Raises:
        DaptError: anything that does not fit together.
    """
    if config.deterministic:
        torch.use_deterministic_algorithms(True)
    clip = load_clip(config.model, device=device, precision=config.precision)
    model = build_model(config, clip, data.train.names)
    step = TrainStep(model, build_objectives(config, model))
    cache = cache or ImageCache(config.cache_mb)
    transform = train_transform(clip.image.image_size, clip.preprocess, crop_scale=config.crop_scale, flip=config.flip)
    images = TrainImages(data.train.items, data.train.labels, transform, cache, config.seed)
    say(_headline(config, model))
    cue = build_cue(config, cache, has_masks=data.source.has_masks) if config.dapt.enabled else None
    if cue is not None:
        images.masks = cue.prepare(images.items, model)
        images.soft = config.cue.soft
        say(cue.report.summary())
        _check_cues(config, cue)
    elif config.cue.source != "auto" or config.masks:
        build_cue(config, cache, has_masks=data.source.has_masks)  # mistakes in unused options are mistakes, too
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
        DataError: all masks are missing, empty, full or unreadable.
    """
    report = cue.report
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
        f"None of the images has a usable foreground cue: {len(report.empty)} masks empty, {len(report.full)} full.",
        todo="Look at the masks; if they hold small numbers (label maps), pass --mask-format labels.",
    )


def with_absolute_paths(config: RunConfig) -> RunConfig:
    """The configuration with absolute paths, so that the run folder can be used from anywhere."""

    def absolute(text: str) -> str:
        return str(Path(text).expanduser().absolute())

    changed: dict[str, Any] = {"data": absolute(config.data)}
    for key in ("masks", "names"):
        if getattr(config, key):
            changed[key] = absolute(getattr(config, key))
    head, colon, path = config.model.partition(":")
    if colon and head != "hf-hub":
        changed["model"] = f"{head}:{absolute(path)}"
    return config.model_copy(update=changed)


def _worker(fabric: Any, config: RunConfig, path: str, data: RunData, quiet: bool) -> None:
    """The run on one process of several; the first one speaks and writes."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    folder = RunFolder(Path(path))
    lines: list[str] = []
    console.set_quiet(True)  # what preparing says has been said by the parent process
    prepared = prepare(config, data, str(fabric.device))
    console.set_quiet(quiet or not fabric.is_global_zero)
    console.keep_lines(lines if fabric.is_global_zero else None)
    try:
        _train(fabric, config, folder, data, prepared)
    finally:
        if fabric.is_global_zero:
            folder.write_log(lines)


def _train(fabric: Any, config: RunConfig, folder: RunFolder, data: RunData, prepared: Prepared) -> None:
    started = time.perf_counter()
    progress = Progress()
    if config.epochs and prepared.model.prompts.count():
        progress = _fit(fabric, config, folder, data, prepared)
    if fabric.is_global_zero:
        _finish(config, folder, data, prepared, progress, time.perf_counter() - started)


def _fit(fabric: Any, config: RunConfig, folder: RunFolder, data: RunData, prepared: Prepared) -> Progress:
    def validate() -> float | None:
        found = evaluate(
            prepared.model,
            data.val.items,
            data.val.labels,
            batch_size=config.eval_batch_size,
            workers=config.workers,
            label="validating",
        )
        return found.metrics("val")["val/accuracy"]

    def after_epoch(state: State, progress: Progress) -> None:
        save_state(folder.checkpoint_file, state)
        folder.write_metrics(progress.lines)

    selects = config.model_selection == "best_val" and data.val.items
    fitter = Fitter(
        config,
        prepared.step,
        prepared.images,
        prepared.cue,
        fabric,
        validate=validate if selects else None,
        after_epoch=after_epoch,
    )
    if folder.checkpoint_file.is_file():
        fitter.load_state(load_state(folder.checkpoint_file))
        say(f"resuming after epoch {fitter.progress.epoch}")
    try:
        return fitter.fit()
    finally:
        prepared.images.close()


def _headline(config: RunConfig, model: PromptedClip) -> str:
    count = model.prompts.count()
    dapt = f" + DAPT ({config.dapt.variant})" if config.dapt.enabled else ""
    return (
        f"{config.method}{dapt} on {config.model}: {count:,} trainable parameters, {len(model.names)} classes, "
        f"{config.epochs} epochs, batch {config.batch_size}, lr {config.lr}, {model.clip.device}"
    )


def _finish(
    config: RunConfig,
    folder: RunFolder,
    data: RunData,
    prepared: Prepared,
    progress: Progress,
    training_seconds: float,
) -> None:
    model, cue = prepared.model, prepared.cue
    save_prompts(
        folder.prompts_file,
        dict(model.prompts.state_dict()),
        method=config.method,
        options=config.prompt,
        names=data.train.names,
        clip=model.clip,
    )
    evaluating = time.perf_counter()
    metrics, breakdown = evaluate_run(config, data, model)
    counts = {**data.counts, "trainable_parameters": model.prompts.count()}
    if cue is not None:
        counts |= cue.report.counts()
    seconds = [line["seconds"] for line in progress.lines]
    results = {
        "schema": SCHEMA,
        "method": config.method,
        "dapt": config.dapt.enabled,
        "backbone": config.model,
        "data": data.source.name,
        "shots": config.shots,
        "seed": config.seed,
        "subset": config.subset,
        "cue": None if cue is None else cue.name,
        "metrics": metrics,
        **breakdown,
        "counts": counts,
        "timing": {
            "training_seconds": round(training_seconds, 3),
            "evaluation_seconds": round(time.perf_counter() - evaluating, 3),
            "seconds_per_epoch": round(sum(seconds) / len(seconds), 3) if seconds else None,
            "images_per_second": progress.lines[-1]["images_per_second"] if progress.lines else None,
            "peak_memory_mb": round(peak_memory_mb(str(model.clip.device)), 1),
        },
        "selected_epoch": progress.best_epoch + 1 if progress.best_epoch >= 0 else config.epochs,
        "environment": describe(str(model.clip.device)),
    }
    _tensorboard(folder, progress, metrics)
    folder.write_results(results)
    folder.checkpoint_file.unlink(missing_ok=True)
    shown = ", ".join(f"{name} {value:.2f}" for name, value in metrics.items() if value is not None)
    say(f"{shown}\nresults in {folder.path}")


def evaluate_run(config: RunConfig, data: RunData, model: PromptedClip) -> tuple[Figures, dict[str, Figures]]:
    """All metrics of results.json, and the accuracy of each class and group.

    ``test/accuracy`` is over the classes trained on. With ``subset: base`` those are the base classes, and the
    held-back classes are classified among themselves for ``test/accuracy_novel``.
    """
    masks = MaskSource(mask_folder(config.masks), config.mask_format)
    novel = data.novel
    if novel is not None and config.prompt.get("class_specific"):
        say("Class-specific prompts cannot name new classes: no novel accuracy.")
        novel = None
    return evaluate_halves(model, config, data.test, novel, role=config.subset, masks=masks)


def _tensorboard(folder: RunFolder, progress: Progress, metrics: dict[str, float | None]) -> None:
    from torch.utils.tensorboard import SummaryWriter

    for old in folder.path.glob("events.*"):
        old.unlink()
    with SummaryWriter(str(folder.path)) as writer:
        for line in progress.lines:
            for name, value in line.items():
                if name != "epoch":
                    writer.add_scalar(name, value, line["epoch"])
        for name, value in metrics.items():
            if value is not None:
                writer.add_scalar(name, value, len(progress.lines))
