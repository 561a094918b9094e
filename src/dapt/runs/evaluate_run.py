"""Evaluating a finished run again: other data, other classes, other splits."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from dapt.colour import colour_of
from dapt.config import MaskFormat, RunConfig
from dapt.dapt_names import run_title
from dapt.data.catalog.base import CATALOG
from dapt.data.items import ImageSet
from dapt.data.labelled import LabelledImages, checked_part, class_labels, select_classes
from dapt.data.load.notes import said_together
from dapt.data.masks.mask_files import check_format, mask_folder
from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DataError, did_you_mean
from dapt.evaluation.evaluate import MaskSource
from dapt.evaluation.halves import evaluate_halves
from dapt.files import write_json
from dapt.model.prompted_clip import PromptedClip
from dapt.outputs import check_file, check_replaceable
from dapt.results import EvaluationResults
from dapt.runs.apart import check_file_apart, named_inputs
from dapt.runs.division import how_divided
from dapt.runs.evaluate_other import OWN_CLASSES, Asked, ask_other, other_splits
from dapt.runs.evaluation_files import EVALUATION_KEYS
from dapt.runs.evaluation_request import TRAINED, Request, noted_classes, reading_asked, what_was_asked
from dapt.runs.evaluations import add_evaluation, check_evaluation
from dapt.runs.kept_encodings import encodings_of_run
from dapt.runs.load_run import load_run
from dapt.runs.run_folder import RunFolder, find_run, read_results
from dapt.runs.trained_images import learns, look_for_trained

SPLITS = ("train", "val", "test", "all")


@dataclass(frozen=True)
class Images:
    """What is looked at.

    Attributes:
        split: its name. novel: classes that were held back, where base classes are classified by themselves.
        asked: of other data, what is asked of it. leaks: images that were trained on, for the record.
    """

    source: ImageSet
    split: str
    main: LabelledImages
    novel: LabelledImages | None
    bad: int
    asked: Asked | None = None
    leaks: dict[str, Any] | None = None

    @property
    def parts(self) -> list[LabelledImages]:
        """Both, as far as they are there."""
        return [self.main] if self.novel is None else [self.main, self.novel]


def evaluate_saved(
    run: Path | str,
    *,
    data: str | None = None,
    split: str | None = None,
    classes: str | None = None,
    json_file: Path | None = None,
    name: str | None = None,
    model_spec: str | None = None,
    names: str | None = None,
    masks: str | None = None,
    mask_format: str | None = None,
    mask_name: str | None = None,
    mask_background: str | None = None,
    skip_bad: bool = False,
    root: str | None = None,
    own_split: bool = False,
    allow_leaks: bool = False,
    device: str = "auto",
) -> tuple[EvaluationResults, Path]:
    """Evaluate a run and write the figures.

    Args:
        run: run folder. data: other data; None: the run's own. split: train, val, test or all; None: test, of other
            data without splits of its own all.
        classes: ``data`` or ``all`` (the classes of the data), ``base``, ``novel``, or class names separated by commas.
            None: the trained classes, which those of other data are matched with by name (see `ask_other`); on the
            run's own data what the run itself reports (base and novel after base training).
        json_file: where the figures go; None: ``eval/NAME.json`` in the run folder. name: NAME; None: made from
            data, split and classes.
        root: where catalog data lives; None: as in the run. own_split: as for `load_data`; the run's own data is
            divided as in the run. allow_leaks: go on although images were trained on; the record says so.

    Returns:
        the written record and its path.

    Raises:
        DataError: images were trained on, see `look_for_trained`.
        DaptError: no such run, data, split or class; bad places for files; damaged files.
    """
    if split is not None and split not in SPLITS:
        raise ConfigError(f"There is no split '{split}'.", todo=did_you_mean(split, SPLITS))
    asked = Request(
        data=data,
        split=split,
        classes=classes,
        model=model_spec,
        names=names,
        masks=masks,
        mask_format=mask_format,
        mask_name=mask_name,
        mask_background=mask_background,
        skip_bad=skip_bad,
        root=root,
        own_split=own_split,
        allow_leaks=allow_leaks,
    )
    run = find_run(run).path
    if json_file is None:
        _check_writable(run)
    _check_json(json_file, run, data=data, names=names, masks=masks, model=model_spec)
    model, config = load_run(run, model_spec=model_spec, device=device)
    source = _source(asked, config, run)
    name = name or _name(asked, config, source)
    if json_file is None:
        check_evaluation(RunFolder(run), name)
    check_file_apart(json_file, "--json", source, asked.place(config))
    images = _images(asked, config, source, model, run)
    record = _record(asked, config, images, model, run)
    if json_file is None:
        return record, add_evaluation(RunFolder(run), name, record)
    write_json(json_file, record.tree())
    return record, json_file


def _source(asked: Request, config: RunConfig, run: Path) -> ImageSet:
    """The data set that is meant; tells how much of other data is looked at."""
    own = asked.own
    source = load_data(
        asked.place(config),
        asked.names or (config.names if asked.known(config) else None),
        root=asked.root or config.root,
        own_split=asked.own_split or (own and config.own_split),
        skip_bad=asked.skips(config),
        split_file=config.split_file if own else None,
        **(how_divided(config, RunFolder(run)) if asked.known(config) else {}),
    )
    return source


def _name(asked: Request, config: RunConfig, source: ImageSet) -> str:
    """The name of the figures, made from data, split and classes."""
    plain = asked.classes is None or (asked.own and asked.classes in OWN_CLASSES and config.subset != "base")
    split = asked.split or "test"  # also of all images of data without splits: to the model they are test images
    return f"{source.name}-{split}" + ("" if plain else f"-{_slug(asked.classes or '')}")


def _images(asked: Request, config: RunConfig, source: ImageSet, model: PromptedClip, run: Path) -> Images:
    """The images that are looked at, without the damaged ones.

    Raises:
        DataError: there are none, some are damaged, or were trained on.
    """
    halves, skip_bad = asked.halves(config), asked.skips(config)
    split = asked.split_of(source, config)
    other = novel = None
    if asked.own:
        main = _choose(source, split, "base" if halves else asked.classes or "all")
        novel = _choose(source, split, "novel") if halves and not model.prompts.fixed_classes else None
    else:
        other = ask_other(
            source,
            split,
            asked.classes,
            model.names,
            read_results(RunFolder(run)),
            fixed=model.prompts.fixed_classes,
            chosen=asked.split is not None,
        )
        main = other.part
    with said_together():
        main, bad = checked_part(main, skip_bad, "checking images")
        if novel is not None:
            novel, more = checked_part(novel, skip_bad, "checking images of novel classes")
            bad += more
    if not main.items:
        raise DataError(f"{source.name} has no labelled images in its {split} split.", todo=other_splits(source, split))
    found = Images(source, split, main, novel, bad, other)
    known, learned = asked.known(config), learns(model)
    if split == "train" or not (learned or (known and config.allow_leaks)):
        return found
    leaks = look_for_trained(
        RunFolder(run),
        config,
        [item for part in found.parts for item in part.items],
        source.name,
        split,
        known=known,
        allowed=asked.allow_leaks or not learned,
        official=asked.place(config) in CATALOG.names(),
    )
    return replace(found, leaks=leaks)


def _record(asked: Request, config: RunConfig, images: Images, model: PromptedClip, run: Path) -> EvaluationResults:
    """Classify the images, and what there is to say about it."""
    source, own, classes = images.source, asked.own, asked.classes
    halves = asked.halves(config)
    role: Literal["all", "base", "novel"] = "base" if halves or classes == "base" else "all"
    if classes == "novel":
        role = "novel"
    whole = own and config.subset == "base" and classes in OWN_CLASSES
    metrics, breakdown = evaluate_halves(
        model,
        config,
        images.main,
        images.novel,
        role=role,
        masks=_mask_source(config, own, asked, source.mask_format),
        prefix="test" if images.split == "all" else images.split,  # to the model all of them are test images
        base_classes=len(class_labels(source, "base")) if whole else None,
        keep=encodings_of_run(config, model),
    )
    return EvaluationResults(
        run=str(run),
        title=run_title(config),
        method=config.method,
        dapt=config.dapt.enabled,
        backbone=model.clip.spec,
        data=source.name,
        split=images.split,
        classes=classes or _classes_asked(images, halves),
        asked=what_was_asked(
            None if own else source,
            classes=noted_classes(asked),
            split="all" if images.asked is not None and images.split == "all" else None,
            model=asked.model,
            names=asked.names,
            masks=asked.masks,
            mask_format=asked.mask_format,
            mask_name=asked.mask_name,
            mask_background=asked.mask_background,
            own_split=asked.own_split,
            skip_bad=asked.skips(config),
            **reading_asked(config),
        ),
        leaks=images.leaks,
        metrics=metrics,
        **_of_the_data(breakdown, images.asked),
        counts=_counts(images),
        **_left_out(images),
    )


def _of_the_data(breakdown: dict[str, Any], asked: Asked | None) -> dict[str, Any]:
    """The figures of classes, of other data only those of classes that it has."""
    if asked is None:
        return breakdown
    there = {name: value for name, value in breakdown["per_class"].items() if name in asked.matched}
    return {**breakdown, "per_class": there}


def _counts(images: Images) -> dict[str, int]:
    looked_at = sum(len(part.items) for part in images.parts)
    if images.asked is not None:
        return {**images.asked.counts(looked_at), "bad_images": images.bad}
    return {
        "images": looked_at,
        "classes": sum(len(part.names) for part in images.parts),
        "bad_images": images.bad,
    }


def _left_out(images: Images) -> dict[str, Any]:
    """What of other data is not used, for the record."""
    asked = images.asked
    if asked is None:
        return {}
    unused = {**asked.unused, **({"damaged": images.bad} if images.bad else {})}
    return {"unused": unused, "unknown_classes": asked.unknown, "absent_classes": list(asked.absent)}


def _classes_asked(images: Images, halves: bool) -> str:
    """The classes of the record, where none were named."""
    if images.asked is not None:
        return TRAINED
    return "base and novel" if images.novel is not None else "base" if halves else "all"


def _check_writable(run: Path) -> None:
    """Whether figures can be kept in a run, before they are made.

    Raises:
        ConfigError: they cannot.
    """
    if run.is_dir() and not os.access(run, os.W_OK | os.X_OK):
        raise ConfigError(f"The run folder {run} cannot be written into.", todo="Pass --json FILE for the figures.")


def _check_json(path: Path | None, run: Path, **given: str | None) -> None:
    """Refuse a result file where it would harm the run or something that is read.

    Args:
        given: settings of the evaluation that are not those of the run.

    Raises:
        ConfigError: see `check_file` and `check_replaceable`.
    """
    if path is None:
        return
    own = RunFolder(run).config()
    changed = own.model_copy(update={key: value for key, value in given.items() if value is not None})
    inputs = {**{f"{label} of the run": place for label, place in named_inputs(own).items()}, **named_inputs(changed)}
    todo = "Choose another file; without --json the figures are kept in eval/ of the run."
    check_file(path, "--json", inputs, todo=todo)
    check_replaceable(path, EVALUATION_KEYS, "--json")


def _mask_source(config: RunConfig, own: bool, asked: Request, own_kind: MaskFormat | None) -> MaskSource:
    folder = mask_folder(asked.masks or (config.masks if own else None))
    name = asked.mask_name or (config.mask_name if own else None)
    background = asked.mask_background or config.mask_background
    colour_of(background)
    return MaskSource(folder, check_format(asked.mask_format or config.mask_format), own_kind, name, background)


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in text)[:40]


def _choose(source: ImageSet, split: str, classes: str) -> LabelledImages:
    """The labelled images of the chosen classes of the run's own data."""
    items = source.chosen_labelled(split)
    if classes in (*OWN_CLASSES, "base", "novel"):
        return select_classes(source, items, class_labels(source, "all" if classes in OWN_CLASSES else classes))
    chosen = [name.strip().replace("_", " ") for name in classes.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in source.names]
    if unknown:
        raise ConfigError(
            f"{source.name} has no class '{unknown[0]}'.",
            where="--classes",
            todo=did_you_mean(unknown[0], source.names),
        )
    if len(set(chosen)) != len(chosen):
        raise ConfigError("A class is named twice.", where="--classes")
    return select_classes(source, items, [source.names.index(name) for name in chosen])
