"""The classes of a data set: how many there are, and how many images each has in each split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dapt.data.check.finding import Finding, count, some
from dapt.data.items import UNLABELLED, Item

UNBALANCED = 10  # times as many images in the largest class as in the smallest


def images_per_class(splits: Mapping[str, Sequence[Item]], classes: int) -> dict[str, list[int]]:
    """For each split with images: how many of them show each class, by label."""
    found = {}
    for split, items in splits.items():
        seen = Counter(label for item in items for label in item.labels or (item.label,) if label != UNLABELLED)
        if items:
            found[split] = [seen[label] for label in range(classes)]
    return found


def class_findings(splits: Mapping[str, Sequence[Item]], names: Sequence[str]) -> list[Finding]:
    """A single class, classes that a split lacks, no test images, and classes of very different size."""
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
    for split, severity, todo in (
        ("train", "error", "Add images of it, or remove the class; training refuses a class without any."),
        ("test", "warning", "Nothing will be known about it: add test images, or remove the class."),
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
                    todo,
                    empty,
                )
            )
    if "test" not in counts and counts:
        found.append(Finding("no_test", "warning", "There are no test images, so there will be no accuracy.", _DIVIDE))
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


_SPLIT = {"train": "training", "test": "test"}
_DIVIDE = "Put some images of each class into test/, or leave out the split folders: then dapt divides them."
