"""Names of splits, as people write them."""

from __future__ import annotations

import re

SPLITS = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "val": "val",
    "valid": "val",
    "validate": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "tst": "test",
    "eval": "test",
    "evaluation": "test",
    "holdout": "test",
    "heldout": "test",
}

_MARKS = re.compile(r"[-_. ]+")
_AFTER = re.compile(r"(set|sets|data|dataset|images|image|imgs|img|photos|split|folder|dir)$")
_JOINT = re.compile(r"train(ing)?[-_. ]?(and[-_. ]?)?val(id|idation)?")
_NUMBER = re.compile(r"^\d+[-_. ]+")
_YEAR = re.compile(r"(19|20)\d\d$")


def split_of(name: str) -> str | None:
    """The split of a folder of this name (``Training``, ``train_set``, ``val2017``, ``1_train``); or None."""
    plain = _YEAR.sub("", _MARKS.sub("", _NUMBER.sub("", name.lower())))
    while plain not in SPLITS:
        shorter = _AFTER.sub("", plain)
        if shorter == plain:
            return None
        plain = shorter
    return SPLITS[plain]


def folder_split_of(name: str) -> str | None:
    """As `split_of`, of a folder whose neighbours are not known: ``trainval`` is for training, too."""
    return split_of(name) or ("train" if split_of(_JOINT.sub("train", name.lower())) else None)


def splits_beside(names: list[str]) -> dict[str, str]:
    """Which of the folders of these names, lying in one folder, are which split.

    ``seg_train`` and ``seg_test`` are, too: names that have the same words around different splits.
    """
    found = {name: split for name in names if (split := split_of(name)) is not None}
    if not {"train", "val"} & set(found.values()):
        found |= {name: split for name in names if (split := folder_split_of(name)) is not None}
    if found:
        return found
    around: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        words = [word for word in _MARKS.split(name.lower()) if word]
        known = [place for place, word in enumerate(words) if word in SPLITS]
        if len(known) == 1:
            rest = tuple("" if place == known[0] or word.isdigit() else word for place, word in enumerate(words))
            around.setdefault(rest, {})[name] = SPLITS[words[known[0]]]
    several = [group for group in around.values() if len(set(group.values())) > 1]
    return several[0] if len(several) == 1 else {}
