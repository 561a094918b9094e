"""What a run trains on and is tested on: splits, few-shot sample, class subset, damaged files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.data.catalog.base import data_root
from dapt.data.check.finding import count
from dapt.data.fewshot import draw_by_content, groups_by_label, hold_out, sample_few_shot
from dapt.data.items import ImageSet, Item
from dapt.data.labelled import LabelledImages, checked_part, class_labels, select_classes
from dapt.data.load.notes import said_together
from dapt.data.load.settings import use_settings
from dapt.data.masks.drawn import with_drawn_masks
from dapt.data.resolve import is_catalog
from dapt.data.understood import say_understood
from dapt.errors import DataError, NotSupportedError
from dapt.runs.division import divided_data
from dapt.runs.quick_look import look_at_images

if TYPE_CHECKING:
    from dapt.data.load.image_cache import ImageCache
    from dapt.runs.run_folder import RunFolder


@dataclass(frozen=True)
class RunData:
    """The images of a run.

    Attributes:
        source: the whole data set.
        train, val: few-shot samples of the training classes; with `transductive` train holds images of all.
        test: test images of the training classes.
        novel: test images of the classes that were held back, with ``subset: base``.
        counts: sizes for results.json.
        weights: what each training image counts in the loss, of mean 1, or None: all the same.
        class_weights: by class name, what its images count beside that, None: all the same.
        chosen: how the training images were selected from more, for split.json; None: they were not.
        validation_only: a run of a search, judged by its validation images; `test` is empty.
        leaks: test images that are equal to training images, for results.json; None: there are none.
    """

    source: ImageSet
    train: LabelledImages
    val: LabelledImages
    test: LabelledImages
    novel: LabelledImages | None
    counts: dict[str, int]
    weights: tuple[float, ...] | None = None
    class_weights: dict[str, float] | None = None
    chosen: dict[str, object] | None = None
    leaks: dict[str, Any] | None = None
    validation_only: bool = False

    @property
    def image_weights(self) -> tuple[float, ...] | None:
        """What each training image counts in the loss, of mean 1, or None: all the same."""
        if self.class_weights is None:
            return self.weights
        by_label = [self.class_weights.get(name, 1.0) for name in self.train.names]
        weights = [by_label[label] for label in self.train.labels]
        if self.weights is not None:
            weights = [one * other for one, other in zip(weights, self.weights, strict=True)]
        mean = sum(weights) / len(weights)
        return tuple(weight / mean for weight in weights)


def load_run_data(
    config: RunConfig,
    cache: ImageCache | None = None,
    *,
    validation_only: bool = False,
    images: ImageSet | None = None,
    own: RunFolder | None = None,
) -> RunData:
    """Read, sample, check.

    Sampling runs over all classes first and the subset is taken afterwards, as in the field. Images that may show
    several classes are drawn by the first of them.

    Args:
        cache: the training images are decoded into it, as far as it has room.
        validation_only: a run of a search: its test images are not opened, and it is judged by the validation images.
        images: the data set, from a program; None: the one that the configuration names.
        own: folder of a run that goes on, see `how_divided`.

    Raises:
        DataError: no labelled training images, damaged files without `skip_bad`, or test images that are equal to
            training images without `allow_leaks`.
        NotSupportedError: see `check_multi_label`.
    """
    use_settings(config)
    data = images or _named_data(config, own)
    check_multi_label(config, data)
    train, val, test = (data.labelled(split) for split in ("train", "val", "test"))
    if not train:
        raise DataError(
            f"{config.data} has no labelled training images.", todo="Training needs images with a class each."
        )
    labels = [item.label for item in train]
    positions, val_positions = _sample(config, data, train, val)
    if validation_only and not val:
        positions, val_positions = hold_out(labels, positions, config.shots, config.seed)
        val = train
        _report_held_out(config, len(val_positions))
    kept = class_labels(data, config.subset)
    _report_small_classes(data, train, kept, config.shots)
    if config.model_selection == "best_val" and not val:
        warn("There are no validation images, so the last epoch is used instead of the best one.")
    if validation_only:
        test = ()
    elif not test and images is None:  # a program tests by itself
        warn("There are no test images, so there will be no accuracy.")
    held_back = class_labels(data, "novel") if config.subset == "base" else []
    trained_on = class_labels(data, "all") if config.transductive else kept
    parts = {
        "train": select_classes(data, [train[position] for position in positions], trained_on),
        "val": select_classes(data, [val[position] for position in val_positions], kept),
        "test": select_classes(data, test, kept),
    }
    if held_back and not validation_only:
        parts["novel"] = select_classes(data, test, held_back)
    leaks = None if validation_only else look_at_images(config, data, parts)
    bad = 0
    with said_together():
        for name, part in parts.items():
            keep = cache if name == "train" and config.epochs else None
            parts[name], lost = checked_part(part, config.skip_bad, f"checking {name} images", keep)
            bad += lost
    counts = {
        "classes": len(kept),
        "classes_trained": len(trained_on),
        "classes_novel": len(held_back),
        "train": len(parts["train"].items),
        "val": len(parts["val"].items),
        "test": len(parts["test"].items),
        "test_novel": len(parts["novel"].items) if "novel" in parts else 0,
        "bad_images": bad,
    }
    if not parts["train"].items:
        raise DataError("No training image is left after leaving out the damaged ones.")
    say(
        f"data: {data.name}, {count(counts['classes'], 'class', 'classes')}, {counts['train']} training, "
        f"{counts['val']} validation and {counts['test'] + counts['test_novel']} test images"
    )
    return RunData(
        data,
        parts["train"],
        parts["val"],
        parts["test"],
        parts.get("novel"),
        counts,
        leaks=leaks,
        validation_only=validation_only,
    )


def _named_data(config: RunConfig, own: RunFolder | None) -> ImageSet:
    """The data set that the configuration names, with masks of its outlines where DAPT needs them."""
    data = divided_data(config, own)
    if config.dapt.enabled and not config.masks:
        data = with_drawn_masks(data, data_root(config.root))
    if not is_catalog(config.data):
        say_understood(data)
    return data


def _sample(
    config: RunConfig, data: ImageSet, train: Sequence[Item], val: Sequence[Item]
) -> tuple[list[int], list[int]]:
    """Positions of the few-shot images; where contents divide the data they draw, too, so that others hardly matter."""
    labels, val_labels = [item.label for item in train], [item.label for item in val]
    if not data.contents:
        return sample_few_shot(labels, val_labels, config.shots, config.seed)
    contents = [[data.contents[item.name] for item in part] for part in (train, val)]
    return (
        draw_by_content(labels, contents[0], config.shots, config.seed),
        draw_by_content(val_labels, contents[1], min(config.shots, 4), config.seed),
    )


def _report_held_out(config: RunConfig, images: int) -> None:
    """Say that a search is judged by training images.

    Raises:
        DataError: none can be spared.
    """
    if not images:
        raise DataError(
            f"{config.data} has no validation images, all of its training images are trained on, and a search never "
            "looks at test images.",
            todo="Give it a split 'val' (a folder val/, or the column split of a table), or train on fewer shots.",
        )
    rest = "that are not trained on" if config.shots else "which are not trained on meanwhile"
    say(f"There are no validation images: the search is judged by {count(images, 'training image')} {rest}.")


def check_multi_label(config: RunConfig, data: ImageSet) -> None:
    """Refuse what needs exactly one class per image, where images may show several.

    Cross-entropy generalises to several classes, see `dapt.objectives.classification.image_losses`; other losses, and
    methods that look at all labels before training, do not.

    Raises:
        NotSupportedError: the method, an option of DAPT, or stop_margin needs one class per image.
    """
    if not data.multi_label:
        return
    method = config.recipe
    able = all(kind.multi_label for kind in method.load_objectives())
    if not able or method.load_architecture().looks_first:
        raise NotSupportedError(
            f"The images of {data.name} show several classes each, and {config.method} needs one class per image.",
            todo="Use a method that learns by cross-entropy alone, such as maple, coop, cocoop, vpt or ivlp.",
        )
    for option, used in (("gate", config.dapt.gate), ("released", config.dapt.released)):
        if config.dapt.enabled and used:
            raise NotSupportedError(
                f"The images of {data.name} show several classes each, and dapt.{option} needs one class per image.",
                todo=f"Leave dapt.{option} out.",
            )
    if config.stop_margin is not None:
        raise NotSupportedError(
            f"The images of {data.name} show several classes each, and stop_margin needs one class per image.",
            todo="Leave stop_margin out.",
        )


def _report_small_classes(data: ImageSet, train: Sequence[Item], kept: Sequence[int], shots: int) -> None:
    groups = groups_by_label([item.label for item in train if item.label in kept])
    shown = {label for item in train for label in item.labels or (item.label,)}
    absent = [data.names[label] for label in kept if label not in shown]
    if absent:
        raise DataError(f"The class '{absent[0]}' has no training image.", where=str(data.root))
    small = [(data.names[int(str(label))], len(found)) for label, found in groups.items() if len(found) < shots]
    if small:
        name, least = min(small, key=lambda pair: pair[1])
        warn(
            f"{count(len(small), 'class has', 'classes have')} fewer than {shots} training images (the smallest: "
            f"'{name}', {least}); all of theirs are used."
        )


def describe_split(data: RunData) -> dict[str, object]:
    """The images used, by relative name: the content of split.json."""

    def rows(part: LabelledImages | None) -> list[list[object]]:
        if part is None:
            return []
        return [[item.name, label, part.names[label]] for item, label in zip(part.items, part.labels, strict=True)]

    described: dict[str, object] = {
        "data": data.source.name,
        "root": Path(data.source.root).name,
        "train": rows(data.train),
        "val": rows(data.val),
        "test": rows(data.test),
        "novel": rows(data.novel),
    }
    if data.source.own_split:
        described["own_split"] = True
    if data.chosen is not None:
        described["selection"] = data.chosen
        if data.weights is not None:
            described["weights"] = list(data.weights)
    return described
