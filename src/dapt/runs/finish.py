"""What happens after the last epoch: saving, evaluation, results."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

from dapt.config import RunConfig
from dapt.console import say, stamped, warn
from dapt.data.masks.mask_files import mask_folder
from dapt.environment import describe, peak_memory_mb
from dapt.evaluation.evaluate import MaskSource
from dapt.evaluation.halves import Figures, evaluate_halves
from dapt.model.prompted_clip import PromptedClip
from dapt.model.prompts_file import prompts_content
from dapt.runs.run_data import RunData
from dapt.runs.run_folder import RunFolder
from dapt.training.fit import Progress

if TYPE_CHECKING:
    from dapt.runs.prepare import Prepared

SCHEMA = 1
FLAGS = {
    "collapsed": "The training accuracy fell to less than half of its best epoch: this run has collapsed. "
    "Use a lower --lr, --precision 32, or another --seed.",
    "at_chance": "The training accuracy is hardly above chance: this run has learned nothing. "
    "Look at the class names and the learning rate.",
}


def training_flags(lines: list[dict[str, Any]], classes: int) -> list[str]:
    """What is suspicious about a run, for results.json: names of `FLAGS`.

    Args:
        lines: metrics of the epochs. classes: how many there were to choose from.
    """
    accuracies = [line["train/accuracy"] for line in lines if "train/accuracy" in line]
    if not accuracies:
        return []
    flags = []
    if accuracies[-1] < 0.5 * max(accuracies):
        flags.append("collapsed")
    if classes > 2 and len(accuracies) > 2 and accuracies[-1] < 1.5 * 100 / classes:
        flags.append("at_chance")
    return flags


def finish_run(
    config: RunConfig,
    folder: RunFolder,
    data: RunData,
    prepared: Prepared,
    progress: Progress,
    training_seconds: float,
    selection: str,
    log: list[str],
) -> None:
    """Save the prompts, evaluate, write the TensorBoard events and the log, then results.json; remove the checkpoint.

    Args:
        log: lines of log.txt, which is final with the results.
    """
    model, cue = prepared.model, prepared.cue
    model.set_classes(data.train.names)
    prompts = prompts_content(
        dict(model.prompts.state_dict()),
        method=config.method,
        options={**config.prompt, **model.prompts.saved_options()},
        names=data.train.names,
        clip=model.clip,
    )
    folder.write(folder.prompts_file, prompts)
    evaluating = time.perf_counter()
    metrics, breakdown = evaluate_run(config, data, model)
    counts = {**data.counts, "trainable_parameters": model.prompts.count()}
    if cue is not None:
        counts |= cue.report.counts()
    seconds = [line["seconds"] for line in progress.lines]
    flags = training_flags(progress.lines, len(data.train.names))
    for flag in flags:
        warn(FLAGS[flag])
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
        "model_selection": selection,
        "transductive": config.transductive and config.subset == "base",
        "multi_label": config.multi_label if data.source.multi_label else None,
        "selection": data.chosen,
        "own_split": data.source.own_split,
        "flags": flags,
        "metrics": metrics,
        **breakdown,
        "counts": counts,
        "timing": {
            "training_seconds": round(training_seconds, 3),
            "evaluation_seconds": round(time.perf_counter() - evaluating, 3),
            "seconds_per_epoch": round(sum(seconds) / len(seconds), 3) if seconds else None,
            "images_per_second": progress.lines[-1]["images_per_second"] if progress.lines else None,
            "peak_memory_mb": peak_memory_mb(str(model.clip.device)),
        },
        "selected_epoch": progress.best_epoch + 1 if progress.best_epoch >= 0 else config.epochs,
        "environment": describe(str(model.clip.device)),
    }
    folder.write(folder.events_file, events_content(progress, metrics))
    shown = ", ".join(f"{name} {value:.2f}" for name, value in metrics.items() if value is not None)
    if shown:
        say(shown)
    last = f"results in {folder.path}"
    folder.write_log([*log, stamped(last)])
    folder.complete(results)
    say(last)


def evaluate_run(config: RunConfig, data: RunData, model: PromptedClip) -> tuple[Figures, dict[str, Figures]]:
    """All metrics of results.json, and the accuracy of each class and group.

    ``test/accuracy`` is over the classes trained on. With ``subset: base`` those are the base classes, and the
    held-back classes are classified among themselves for ``test/accuracy_novel``, then all among all classes.
    """
    masks = MaskSource(mask_folder(config.masks), config.mask_format, data.source.mask_format)
    novel = data.novel
    if novel is not None and model.prompts.fixed_classes:
        say(f"What {config.method} learns belongs to the training classes and cannot name others: no novel accuracy.")
        novel = None
    return evaluate_halves(model, config, data.test, novel, role=config.subset, masks=masks)


def events_content(progress: Progress, metrics: dict[str, float | None]) -> bytes:
    """The figures of a run as a TensorBoard events file."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter
    from torch.utils.tensorboard.summary import scalar

    buffer = io.BytesIO()
    records = RecordWriter(buffer)
    now = time.time()
    records.write(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
    figures = [(line["epoch"], name, value) for line in progress.lines for name, value in line.items()]
    figures += [(len(progress.lines), name, value) for name, value in metrics.items() if value is not None]
    for step, name, value in figures:
        if name != "epoch" and value is not None:
            records.write(Event(wall_time=now, step=step, summary=scalar(name, value)).SerializeToString())
    return buffer.getvalue()
