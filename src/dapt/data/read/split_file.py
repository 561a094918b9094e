"""A data set with the images of a split file, as `dapt data select` and `dapt data import-fewshot` write them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dapt.data.items import ImageSet, find_by_name
from dapt.data.read.split_json import read_split_json
from dapt.errors import DataError


def apply_split_file(data: ImageSet, path: Path) -> ImageSet:
    """The data with the images of a split file in place of its own split.

    Weights in the file are not read: they belong to the selection that a run makes itself.

    Raises:
        DataError: the file is damaged, or names images or classes that the data does not have.
    """
    find = find_by_name(item for items in data.splits.values() for item in items)
    splits = read_split_json(
        path,
        all_classes=False,
        val_is_test=bool(data.split("val")) and data.split("val") == data.split("test"),  # as ImageNet's
        shared_names=data.shared_names,
    )
    rows = [row for part in splits.values() for row in part]
    known = {name: find(name) for name, _, _ in rows}
    absent = [name for name, _, _ in rows if known[name] is None]
    if absent:
        raise DataError(
            f"{path} names {len(absent)} images that {data.name} does not have, the first: {absent[0]}.",
            todo="Use a split file that was made for this data.",
        )
    for name, label, _ in rows:
        item = known[name]
        if item is not None and item.label != label:
            raise DataError(
                f"{path} gives {name} the label {label}, in {data.name} it is {item.label}.",
                todo="Use a split file that was made for this data.",
            )
    forms: dict[str, str] = {}
    for name, item in known.items():
        if item is not None and forms.setdefault(item.name, name) != name:
            raise DataError(f"{path} names {item.name} twice, in two Unicode forms.", todo="Remove one of the rows.")
    chosen = {part: tuple(item for name, _, _ in found if (item := known[name])) for part, found in splits.items()}
    return replace(data, splits=chosen, divided=False)
