"""What happens after the last epoch: saving, evaluation, results."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from dapt.config import RunConfig
from dapt.console import say, stamped, warn
from dapt.dapt_names import run_title
from dapt.data.masks.mask_files import mask_folder
from dapt.environment import describe, peak_memory_mb
from dapt.evaluation.evaluate import Keep, MaskSource
from dapt.evaluation.halves import evaluate_halves
from dapt.model.prompted_clip import PromptedClip
from dapt.model.prompts_file import prompts_content
from dapt.results import Figures, RunResults
from dapt.runs.baselines import Baselines, find_baselines
from dapt.runs.closing import tell
from dapt.runs.events import EventsFile
from dapt.runs.idle_dapt import FLAG as IDLE
from dapt.runs.prepare import Prepared
from dapt.runs.run_data import RunData
from dapt.runs.run_folder import RunFolder
from dapt.training.fit import Progress

FLAGS = {
    "collapsed": "The training accuracy fell to less than half of its best epoch: this run has collapsed. "
    "Use a lower --lr, --precision 32, or another --seed.",
    "at_chance": "The training accuracy is hardly above chance: this run has learned nothing. "
    "Look at the class names and the learning rate.",
    "leaks": "Test images of this run are equal to training images (leaks in results.json): its accuracy on them says "
    "nothing about new images.",
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
    log: list[str],
    events: EventsFile,
    *,
    baselines: bool = False,
) -> RunResults:
    """Save the prompts, evaluate, finish the TensorBoard events and the log, then results.json; remove the checkpoint.

    Args:
        log: lines of log.txt, which is final with the results. events: of the epochs so far.
        baselines: find the accuracy without training beside it, and say what to do next.
    """
    model = prepared.model
    model.set_classes(data.train.names)
    folder.write(folder.prompts_file, _prompts(config, data, model))
    evaluating = time.perf_counter()
    metrics, breakdown = evaluate_run(config, data, model, prepared.encodings)
    if prepared.kept is not None:
        say(prepared.kept.bank.summary())
    timing = {
        "preparation_seconds": round(prepared.seconds, 3),
        "training_seconds": round(training_seconds, 3),
        "evaluation_seconds": round(time.perf_counter() - evaluating, 3),
        **_speed(progress),
        "peak_memory_mb": peak_memory_mb(str(model.clip.device)),
    }
    beside = find_baselines(config, data, model.clip) if baselines else Baselines()
    if beside.figures:
        timing["baselines_seconds"] = round(beside.seconds, 3)
    flags = training_flags(progress.lines, len(data.train.names))
    if data.leaks is not None and config.allow_leaks:
        flags.append("leaks")
    for flag in flags:
        warn(FLAGS[flag])
    if prepared.idle:  # which was said before the training
        flags.append(IDLE)
    results = _results(config, data, prepared, progress, metrics, breakdown, timing, flags)
    results = results.model_copy(update={"baselines": beside.figures})
    events.finish(metrics, len(progress.lines))
    shown = ", ".join(f"{name} {value:.2f}" for name, value in metrics.items() if value is not None)
    if shown:
        say(shown)
    if baselines:
        tell(results, folder.path, config, data)
    last = f"results in {folder.path}"
    folder.write_log([*log, stamped(last)])
    folder.complete(results.tree())
    say(last)
    return results


def _prompts(config: RunConfig, data: RunData, model: PromptedClip) -> bytes:
    return prompts_content(
        dict(model.prompts.state_dict()),
        method=config.method,
        options={**config.prompt, **model.prompts.saved_options()},
        names=data.train.names,
        clip=model.clip,
    )


def _speed(progress: Progress) -> Figures:
    seconds = [line["seconds"] for line in progress.lines]
    return {
        "seconds_per_epoch": round(sum(seconds) / len(seconds), 3) if seconds else None,
        "images_per_second": progress.lines[-1]["images_per_second"] if progress.lines else None,
    }


def _results(
    config: RunConfig,
    data: RunData,
    prepared: Prepared,
    progress: Progress,
    metrics: Figures,
    breakdown: dict[str, Any],
    timing: Figures,
    flags: list[str],
) -> RunResults:
    model, cue, choice = prepared.model, prepared.cue, prepared.model.clip.multiplied_by
    counts = {**data.counts, "trainable_parameters": model.prompts.count()}
    if cue is not None:
        counts |= cue.report.counts()
        if config.dapt.trust == "score":
            counts["cue_scored"] = sum(item.name in cue.report.scores for item in data.train.items)
    if prepared.background is not None:
        counts |= prepared.background.counts()
    if prepared.foregrounds is not None:
        counts |= prepared.foregrounds.counts()
    return RunResults(
        title=run_title(config),
        method=config.method,
        dapt=config.dapt.enabled,
        backbone=config.model,
        data=data.source.name,
        shots=config.shots,
        seed=config.seed,
        subset=config.subset,
        cue=None if cue is None else cue.name,
        cue_coverage={} if cue is None else cue.report.coverages(),
        background_words=config.dapt.chosen_words if config.dapt.enabled else None,
        model_selection=prepared.model_selection,
        transductive=config.transductive and config.subset == "base",
        multi_label=config.multi_label if data.source.multi_label else None,
        coreset=data.chosen,
        own_split=data.source.own_split,
        class_weights=data.class_weights,
        leaks=data.leaks,
        flags=flags,
        metrics=metrics,
        **breakdown,
        counts=counts,
        timing=timing,
        selected_epoch=progress.best_epoch + 1 if progress.best_epoch >= 0 else _last_epoch(config, progress),
        stopped=None if progress.stopped is None else asdict(progress.stopped),
        environment=describe(str(model.clip.device)) | ({} if choice is None else choice.facts()),
    )


def _last_epoch(config: RunConfig, progress: Progress) -> int:
    return config.epochs if progress.stopped is None else progress.stopped.epoch


def evaluate_run(
    config: RunConfig, data: RunData, model: PromptedClip, keep: Keep | None = None
) -> tuple[Figures, dict[str, Any]]:
    """All metrics of results.json, and what stands there beside them, see `evaluate_halves`.

    ``test/accuracy`` is over the classes trained on. With ``subset: base`` those are the base classes, and the
    held-back classes are classified among themselves for ``test/accuracy_novel``, then all among all classes.

    Args:
        keep: where what the image tower makes of images is kept; None: nowhere.
    """
    masks = MaskSource(
        mask_folder(config.masks),
        config.mask_format,
        data.source.mask_format,
        config.mask_name,
        config.mask_background,
    )
    if data.validation_only:
        return evaluate_halves(model, config, data.val, None, role="all", masks=masks, prefix="val", keep=keep)
    novel = data.novel
    if novel is not None and model.prompts.fixed_classes:
        say(f"What {config.method} learns belongs to the training classes and cannot name others: no novel accuracy.")
        novel = None
    return evaluate_halves(model, config, data.test, novel, role=config.subset, masks=masks, keep=keep)
