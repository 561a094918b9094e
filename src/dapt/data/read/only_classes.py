"""A data set with some of its classes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dapt.data.items import ImageSet
from dapt.data.labelled import select_classes
from dapt.errors import ConfigError, did_you_mean
from dapt.strict import nfc
from dapt.wording import counted


def only_classes(data: ImageSet, wanted: Sequence[str]) -> ImageSet:
    """The data with the classes `wanted`, in its own order, and the images of these.

    Raises:
        ConfigError: there is no such class, several are called so, or one is named twice.
    """
    names = [nfc(name).strip().replace("_", " ") for name in wanted]
    for name in names:
        if name not in data.names:
            raise ConfigError(
                f"{data.name} has no class '{name}'.", where="--classes", todo=did_you_mean(name, data.names)
            )
        if name in data.shared_names:
            raise ConfigError(f"Several classes of {data.name} are called '{name}'.", where="--classes")
    if len(set(names)) != len(names):
        raise ConfigError("A class is named twice.", where="--classes")
    kept = [label for label, name in enumerate(data.names) if name in names]
    splits = {split: select_classes(data, items, kept).items for split, items in data.splits.items()}
    before, after = (sum(map(len, each.values())) for each in (data.splits, splits))
    every = counted(len(data.names), "class", "classes")
    said = f"{len(kept)} of {every} are used; {counted(before - after, 'image')} left out"
    return replace(data, names=tuple(data.names[label] for label in kept), splits=splits, guessed=(*data.guessed, said))
