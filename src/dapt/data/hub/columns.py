"""Which column of a `datasets` table holds the images, classes and masks, and which split serves for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dapt.data.items import UNLABELLED
from dapt.data.read.split_names import SPLITS
from dapt.errors import DataError, did_you_mean

IMAGE_NAMES = ("image", "img", "photo", "picture")
MASK_NAMES = ("mask", "segmentation", "segmentation_mask", "label_mask", "annotation", "foreground")
LABEL_NAMES = ("label", "labels", "class", "classname", "class_name", "category", "fine_label")
SPLIT_NAMES = {name: SPLITS[name] for name in ("train", "training", "val", "valid", "validation", "dev", "test")}


@dataclass(frozen=True)
class Columns:
    """Names of columns; None where there is none."""

    image: str
    label: str | None
    mask: str | None
    group: str | None

    def __str__(self) -> str:
        parts = [f"{role} from '{name}'" for role, name in vars(self).items() if name]
        return ", ".join(parts)


def choose_columns(features: Mapping[str, Any], choices: Mapping[str, str], shown: str) -> Columns:
    """Find the columns, explicit choices first; an empty choice means that there is none.

    Args:
        features: `datasets.Features`. choices: of image, label, mask, group. shown: name of the data for messages.

    Raises:
        DataError: a chosen column is absent or of the wrong type, or the column cannot be told.
    """
    for role in ("image", "label", "mask", "group"):
        _check_choice(features, role, choices.get(role, ""), shown)
    pictures = [name for name, feature in features.items() if _kind(feature) == "image"]
    mask = choices["mask"] or None if "mask" in choices else _named(pictures, MASK_NAMES)
    image = choices.get("image") or _image([name for name in pictures if name != mask], shown, features)
    mask = None if mask == image else mask
    label = choices["label"] or None if "label" in choices else _label(features, shown)
    group = choices["group"] or None if "group" in choices else _named(list(features), ("group",))
    return Columns(image, label, mask, group)


def _kind(feature: Any) -> str:
    import datasets

    if isinstance(feature, datasets.Image):
        return "image"
    if isinstance(feature, datasets.ClassLabel):
        return "classes"
    dtype = str(feature.dtype) if isinstance(feature, datasets.Value) else ""
    if dtype in ("string", "large_string"):
        return "string"
    return "number" if dtype.startswith(("int", "uint")) else "other"


def _check_choice(features: Mapping[str, Any], role: str, name: str, shown: str) -> None:
    if not name:
        return
    if name not in features:
        raise DataError(f"{shown} has no column '{name}'.", todo=did_you_mean(name, features))
    kind = _kind(features[name])
    fitting = {"image": ("image",), "mask": ("image",), "label": ("classes", "string", "number")}
    if kind not in fitting.get(role, ("classes", "string", "number", "other")):
        needed = "images" if role in ("image", "mask") else "one class per image, as a number or a string"
        raise DataError(f"The column '{name}' of {shown} does not hold {needed}.", todo=_listing(list(features), role))


def _listing(columns: Sequence[str], role: str) -> str:
    return f"Choose with ?{role}=COLUMN among: {', '.join(columns)}."


def _named(columns: Sequence[str], wanted: Sequence[str]) -> str | None:
    by_name = {column.lower(): column for column in reversed(columns)}
    return next((by_name[name] for name in wanted if name in by_name), None)


def _image(pictures: Sequence[str], shown: str, features: Mapping[str, Any]) -> str:
    found = pictures[0] if len(pictures) == 1 else _named(pictures, IMAGE_NAMES)
    if found is None:
        what = "several image columns" if pictures else "no image column"
        raise DataError(f"{shown} has {what}.", todo=_listing(pictures or list(features), "image"))
    return found


def _label(features: Mapping[str, Any], shown: str) -> str:
    classes = [name for name, feature in features.items() if _kind(feature) == "classes"]
    strings = [name for name, feature in features.items() if _kind(feature) == "string"]
    numbers = [name for name, feature in features.items() if _kind(feature) == "number"]
    found = classes[0] if len(classes) == 1 else _named(classes, LABEL_NAMES)
    found = found or (None if classes else _named(strings, LABEL_NAMES) or _named(numbers, LABEL_NAMES))
    if found is None:
        what = "several columns of classes" if classes else "no column of classes that could be told by its name"
        todo = _listing(classes or list(features), "label")
        raise DataError(f"{shown} has {what}.", todo=f"{todo} Without classes write ?label=")
    return found


def choose_splits(available: Sequence[str], choices: Mapping[str, str], shown: str) -> dict[str, str]:
    """From the splits of the data to ``train``, ``val``, ``test`` or ``all``, which is to be divided.

    One split of another name, or only a training split, is divided; splits that serve for nothing are not in the
    result.

    Raises:
        DataError: a chosen split is absent, or several serve for the same.
    """
    for role in ("split", "train", "val", "test"):
        if choices.get(role) and choices[role] not in available:
            raise DataError(f"{shown} has no split '{choices[role]}'.", todo=did_you_mean(choices[role], available))
    if choices.get("split"):
        return {choices["split"]: "all"}
    chosen: dict[str, str] = {}
    for role in ("train", "val", "test"):
        name = choices.get(role)
        if name in chosen:
            raise DataError(f"The split {name} of {shown} cannot be {chosen[name]} and {role} at once.")
        if name:
            chosen[name] = role
    taken = set(chosen.values())
    for name in available:
        role = SPLIT_NAMES.get(name.lower(), "")
        if name in chosen or not role or role in choices:
            continue
        if role in taken:
            raise DataError(f"Several splits of {shown} could serve as {role}.", todo=f"Choose with ?{role}=SPLIT.")
        chosen[name] = role
        taken.add(role)
    if not chosen and len(available) == 1:
        return {available[0]: "all"}
    if not chosen:
        raise DataError(
            f"None of the splits of {shown} is called train, validation or test.",
            todo=f"Choose with ?split=SPLIT, or train=, val= and test=, among: {', '.join(available)}.",
        )
    only_training = len(available) == 1 and list(chosen.values()) == ["train"] and "train" not in choices
    return {available[0]: "all"} if only_training else chosen


def number_classes(feature: Any, values: Sequence[Any]) -> tuple[list[int], list[str]]:
    """Labels 0, 1, ... and class names from the values of a label column.

    Classes keep the order of a `ClassLabel`; strings are sorted. Classes without an image get no label, so that the
    result can be shorter than the names of a `ClassLabel`. None, -1 and the empty string are unlabelled.

    Returns:
        a label per value, -1 where unlabelled; the class names.
    """
    kind = _kind(feature)
    cleaned = [value.strip() if isinstance(value, str) else value for value in values]
    known = [value not in (None, "", UNLABELLED) for value in cleaned]
    used = sorted({value for value, there in zip(cleaned, known, strict=True) if there})
    labels = {value: label for label, value in enumerate(used)}
    numbered = [labels[value] if there else UNLABELLED for value, there in zip(cleaned, known, strict=True)]
    if kind == "classes":
        return numbered, [str(feature.names[value]).strip() for value in used]
    return numbered, [value if kind == "string" else f"class {value}" for value in used]
