"""Whether the masks of a data set are read in the right format, and which format would be the right one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import get_args

from dapt.config import MaskFormat
from dapt.data.items import Item
from dapt.data.masks.coverage import ClassMasks, doubts, is_plausible
from dapt.data.masks.mask_files import foreground_of, in_colours, misread, read_values
from dapt.data.masks.mask_finder import COLLECTIONS, MaskFinder, own_or_found
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError

OWN_FORMATS: tuple[MaskFormat, ...] = ("trimap", "labels")  # of masks that belong to a catalog data set itself
BLANK_SHARE = 0.95
FEW = 3
SAMPLE = 24
SAME = 0.01  # by which shares of foreground differ where two formats read a mask alike


@dataclass
class MaskCounts:
    """What became of the masks that could be read.

    Attributes:
        read: their number. empty, full: without foreground, or without background. misread: see `misread`.
    """

    read: int = 0
    empty: int = 0
    full: int = 0
    misread: int = 0

    @property
    def wrong_format(self) -> bool:
        """Whether at least 95% have no foreground or no background to speak of, so that the format must be wrong.

        Fewer than three masks are let through if one of them is usable.
        """
        some_usable = self.empty + self.full < self.read
        if self.read == 0 or (self.read < FEW and some_usable):
            return False
        return self.empty + self.full + self.misread >= BLANK_SHARE * self.read


def check_convention(
    counts: MaskCounts,
    items: Sequence[Item],
    folder: Path | None,
    kind: MaskFormat,
    *,
    own_kind: MaskFormat | None = None,
    rules: MaskRules | None = None,
) -> None:
    """Refuse masks that were read in another collection's format.

    Args:
        counts: of these items' masks. folder: ``--masks``; None: the data set's own masks.
        kind: the format in which they were read. own_kind: the format of its own masks by the data set, with which
            ``--mask-format`` has no effect on them. rules: of names and colours.

    Raises:
        DataError: see `MaskCounts.wrong_format`; the message names the formats that would do.
    """
    if not counts.wrong_format:
        return
    blank = counts.empty + counts.full + counts.misread
    kinds = f"{counts.empty} empty, {counts.full} full"
    if counts.misread:
        kinds += f", {counts.misread} with mostly other values than the format has"
    raise DataError(
        f"{blank} of {counts.read} masks are of no use when they are read as '{kind}': {kinds}.",
        where=str(folder) if folder else "the data set's own masks",
        todo=_advice(items, folder, kind, own_kind if folder is None else None, rules),
    )


def _advice(
    items: Sequence[Item],
    folder: Path | None,
    kind: MaskFormat,
    own_kind: MaskFormat | None,
    rules: MaskRules | None,
) -> str:
    if own_kind in OWN_FORMATS:
        return "That is the format this data set brings: get its masks again, or use --cue border."
    beside = _folder_beside(items) if own_kind is not None else None
    better = formats_that_fit(items, beside or folder, kind, rules)
    if not better:
        where = f" in {beside}" if beside else ""
        return f"No other --mask-format makes sense of them either: look at the masks{where}."
    option = f"--masks {beside} " if beside else ""
    return f"Those of every class look like objects with {option}--mask-format {' or '.join(better)}."


def _folder_beside(items: Sequence[Item]) -> Path | None:
    """The folder in which the data set's own masks lie as the images do, by the first image that has one."""
    first = next((item for item in items if item.mask is not None), None)
    if first is None or first.mask is None:
        return None
    folder = first.mask.parent
    for part in reversed(PurePosixPath(first.name).parent.parts):
        if folder.name != part:
            break
        folder = folder.parent
    return folder


def doubts_and_hint(
    classes: Mapping[str, ClassMasks], items: Sequence[Item], folder: Path | None, rules: MaskRules
) -> list[str]:
    """Sentences on what looks wrong though it can be used, and the formats under which it would not.

    Args:
        classes: what is known of the masks, see `dapt.data.masks.coverage.doubts`. items: the images.
        folder: ``--masks``; None: the data set's own masks. rules: by which they were read.
    """
    said = doubts(classes)
    better = formats_that_fit(items, folder, rules.kind, rules) if said else []
    if better:
        said.append(f"The masks of every class look like objects with --mask-format {' or '.join(better)}.")
    return said


def formats_that_fit(
    items: Sequence[Item], folder: Path | None, kind: MaskFormat, rules: MaskRules | None = None
) -> list[MaskFormat]:
    """Formats other than `kind` under which the masks of a sample look like objects in every class.

    All files of the sample are read in every format. A format fits a class if most of its masks are found and at least
    half of them cover what objects do, see `dapt.data.masks.coverage`. ``colours`` is named only where nothing else
    fits, because it takes any mask on black. Formats that read the sample as `kind` does are not named.

    Args:
        items: the sample is of those that have a mask under `kind`; of all, if none has. rules: of names and colours.
    """
    rules = rules or MaskRules()
    finder = MaskFinder(folder, kind, rules.name) if folder else None
    having = [item for item in items if own_or_found(item, finder)] or items
    sample = _spread(having)
    others = [other for other in get_args(MaskFormat) if other != kind]
    now = _shares(sample, folder, rules.read_as(kind))
    fitting = []
    for other in others:
        shares = _shares(sample, folder, rules.read_as(other))
        if _fits(sample, shares) and any(abs(one - two) > SAME for one, two in zip(now, shares, strict=True)):
            fitting.append(other)
    return [other for other in fitting if other != "colours" or fitting == ["colours"]]


def _spread(items: Sequence[Item]) -> list[Item]:
    """Some items of every class, evenly chosen."""
    classes: dict[int, list[Item]] = {}
    for item in items:
        classes.setdefault(item.label, []).append(item)
    each = max(1, SAMPLE // max(1, len(classes)))
    return [item for own in classes.values() for item in own[:: max(1, len(own) // each)][:each]]


def _fits(items: Sequence[Item], shares: Sequence[float]) -> bool:
    classes: dict[int, list[float]] = {}
    for item, share in zip(items, shares, strict=True):
        classes.setdefault(item.label, []).append(share)
    return bool(classes) and all(is_plausible(own) for own in classes.values())


def _shares(items: Sequence[Item], folder: Path | None, rules: MaskRules) -> list[float]:
    """The shares of foreground of the images' masks, 0 where the format does not fit."""
    finder = MaskFinder(folder, rules.kind, rules.name) if folder else None
    return [_share(item, finder, rules) for item in items]


def _share(item: Item, finder: MaskFinder | None, rules: MaskRules) -> float:
    """The share of foreground of an image's mask; 0 where the format does not fit it."""
    kind = rules.kind
    try:
        files = own_or_found(item, finder)
        masks = []
        for path in files:
            values = read_values(path, kind, rules.background)
            mask = foreground_of(values, kind)
            numbered = kind == "trimap" and (values.min() < 1 or values.max() > 3)  # a label map that begins at 1
            if numbered or misread(values, mask, kind) or (kind in COLLECTIONS and in_colours(path)):
                return 0.0
            masks.append(mask)
    except DataError:
        return 0.0
    return max((float(mask.float().mean()) for mask in masks), default=0.0)
