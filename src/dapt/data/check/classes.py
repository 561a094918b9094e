"""The classes of a data set: how many there are, and how many images each has in each split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dapt.data.check.finding import Finding, count
from dapt.data.items import UNLABELLED, Item
from dapt.wording import some

UNBALANCED = 10  # times as many images in the largest class as in the smallest


def images_per_class(splits: Mapping[str, Sequence[Item]], classes: int) -> dict[str, list[int]]:
    """For each split with images: how many of them show each class, by label."""
    found = {}
    for split, items in splits.items():
        seen = Counter(label for item in items for label in item.labels or (item.label,) if label != UNLABELLED)
        if items:
            found[split] = [seen[label] for label in range(classes)]
    return found


def class_findings(
    splits: Mapping[str, Sequence[Item]], names: Sequence[str], *, official: bool = False
) -> list[Finding]:
    """A single class, classes that a split lacks, no training or test images, classes of very different size.

    Args:
        official: the data is a data set of the catalog, of which some are for testing alone.
    """
    counts = images_per_class(splits, len(names))
    found = []
    if len(names) == 1:
        found.append(
            Finding(
                "one_class",
                "warning",
                f"There is only one class, '{names[0]}': any model is right in all cases.",
                "Check that DATA is the folder in which the class folders are, not the one above or below.",
                tuple(names),
            )
        )
    found += _split_findings(counts, splits, names, official=official)
    for split, severity, todo in (
        ("train", "error", "Add images of {it}, or remove {it_}; training refuses a class without any."),
        ("test", "warning", "Nothing will be known about {it}: add test images, or remove {it_}."),
    ):
        row = counts.get(split)
        if row is None:
            continue
        empty = tuple(name for name, number in zip(names, row, strict=True) if not number)
        if 0 < len(empty) < len(names):
            found.append(
                Finding(
                    f"no_{split}_images",
                    "error" if severity == "error" else "warning",
                    f"{count(len(empty), 'class has', 'classes have')} no {_SPLIT[split]} image ({some(empty)}).",
                    todo.format(it="it", it_="the class")
                    if len(empty) == 1
                    else todo.format(it="them", it_="the classes"),
                    empty,
                )
            )
    row = counts.get("train") or []
    shown = [(number, name) for number, name in zip(row, names, strict=True) if number] if row else []
    if shown:
        (least, small), (most, large) = min(shown), max(shown)
        if most >= UNBALANCED * least:
            found.append(
                Finding(
                    "balance",
                    "warning",
                    f"Classes differ in size: '{large}' has {most:,} training images, '{small}' has {least:,}.",
                    "With --shots N every class counts the same; with all images large classes win.",
                    (small, large),
                )
            )
    return found


def _split_findings(
    counts: Mapping[str, Sequence[int]], splits: Mapping[str, Sequence[Item]], names: Sequence[str], *, official: bool
) -> list[Finding]:
    """Nothing to train on, or nothing to test on, for want of images or of labels."""
    found = []
    if not any(counts.get("train", ())) and not official:
        what = _unlabelled(splits, "train") or "There are no training images, so there is nothing to learn from"
        found.append(Finding("no_train", "error", f"{what}: training refuses the data.", _NO_TRAINING))
    if any(counts.get("test", ())) or not counts:
        return found
    if bare := _unlabelled(splits, "test"):
        found.append(
            Finding(
                "no_test_images",
                "warning",
                f"{bare}, so there will be no accuracy.",
                "Give them classes, or classify them with 'dapt predict'.",
                tuple(names),
            )
        )
    else:
        found.append(Finding("no_test", "warning", "There are no test images, so there will be no accuracy.", _DIVIDE))
    return found


def _unlabelled(splits: Mapping[str, Sequence[Item]], split: str) -> str:
    number = len(splits.get(split, ()))
    if number == 1:
        return f"The one {_SPLIT[split]} image has no class"
    return f"None of the {number:,} {_SPLIT[split]} images has a class" if number else ""


_SPLIT = {"train": "training", "test": "test"}
_NO_TRAINING = (
    "Put images of each class into train/, or leave out the split folders: then dapt divides them. Data for testing "
    "alone goes with 'dapt eval RUN DATA'."
)
_DIVIDE = "Put some images of each class into test/, or leave out the split folders: then dapt divides them."
