"""Which classes of one data set are which of another, by name."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dapt.data.items import ImageSet, Item
from dapt.data.labelled import LabelledImages
from dapt.errors import DataError


def name_key(name: str) -> str:
    """What two spellings of one class name have in common: not case, Unicode form, underscores or spaces around."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return " ".join(folded.replace("_", " ").split())


@dataclass(frozen=True)
class Matched:
    """Classes of a data set among those of a model.

    Attributes:
        label_of: label in the data to label among the model's. unknown: labels in the data of no class of the model.
        otherwise: pairs of names, in the data and of the model, that are spelled differently.
    """

    label_of: Mapping[int, int]
    unknown: tuple[int, ...]
    otherwise: tuple[tuple[str, str], ...] = ()


def match_classes(there: Sequence[str], asked: Sequence[str], name: str = "the data") -> Matched:
    """Which classes of a data set are which of a model: the same name, else the same but for `name_key`.

    Equal lists match by place, so that names which several classes share (as of ImageNet) are no hindrance.

    Args:
        there: class names of the data. asked: of the model. name: of the data, for messages.

    Raises:
        DataError: a name could be several classes of the model, or two names of the data are one of them.
    """
    if list(there) == list(asked):
        return Matched({label: label for label in range(len(there))}, ())
    exact, loose = _places(asked, str), _places(asked, name_key)
    found: dict[int, int] = {}
    for label, own in enumerate(there):
        places = exact.get(own) or loose.get(name_key(own)) or []
        if len(places) > 1:
            others = " and ".join(f"'{asked[place]}'" for place in places[:2])
            raise DataError(
                f"The class '{own}' of {name} could be any of {len(places)} trained classes: {others}.",
                todo="Give it the name of one of them with --names FILE, or ask among the data's own classes: "
                "--classes data.",
            )
        if places:
            found[label] = places[0]
    first: dict[int, int] = {}
    for label, place in found.items():
        if place in first:
            raise DataError(
                f"The classes '{there[first[place]]}' and '{there[label]}' of {name} are both the trained class "
                f"'{asked[place]}'.",
                todo="Put their images together, rename one of them, or ask among the data's own classes: "
                "--classes data.",
            )
        first[place] = label
    unknown = tuple(label for label in range(len(there)) if label not in found)
    pairs = tuple((there[label], asked[place]) for label, place in found.items() if there[label] != asked[place])
    return Matched(found, unknown, pairs)


def _places(names: Sequence[str], key: Callable[[str], str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(key(name), []).append(place)
    return places


def matched_images(
    data: ImageSet, items: Sequence[Item], label_of: Mapping[int, int], names: Sequence[str]
) -> LabelledImages:
    """The items of the matched classes, numbered as the model's classes `names`, all of which stay to choose from.

    An image that shows several classes is kept if one of them is matched, and shows those of them only.
    """
    kept: list[Item] = []
    for item in items:
        shown = tuple(label_of[label] for label in item.labels or (item.label,) if label in label_of)
        if shown:
            kept.append(replace(item, label=shown[0], labels=shown if data.multi_label else ()))
    return LabelledImages(tuple(kept), tuple(item.label for item in kept), tuple(names))
