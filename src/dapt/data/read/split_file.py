"""A data set with the images of a split file, as `dapt data select` and `dapt data import-fewshot` write them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dapt.data.items import ImageSet
from dapt.data.read.split_json import read_split_json
from dapt.errors import DataError


def apply_split_file(data: ImageSet, path: Path) -> ImageSet:
    """The data with the images of a split file in place of its own split.

    Weights in the file are not read: they belong to the selection that a run makes itself.

    Raises:
        DataError: the file is damaged, or names images or classes that the data does not have.
    """
    known = {item.name: item for items in data.splits.values() for item in items}
    splits = read_split_json(
        path,
        all_classes=False,
        val_is_test=bool(data.split("val")) and data.split("val") == data.split("test"),  # as ImageNet's
        shared_names=data.shared_names,
    )
    rows = [row for part in splits.values() for row in part]
    absent = [name for name, _, _ in rows if name not in known]
    if absent:
        raise DataError(
            f"{path} names {len(absent)} images that {data.name} does not have, the first: {absent[0]}.",
            todo="Use a split file that was made for this data.",
        )
    for name, label, _ in rows:
        if known[name].label != label:
            raise DataError(
                f"{path} gives {name} the label {label}, in {data.name} it is {known[name].label}.",
                todo="Use a split file that was made for this data.",
            )
    chosen = {part: tuple(known[name] for name, _, _ in found) for part, found in splits.items()}
    return replace(data, splits=chosen, divided=False)
