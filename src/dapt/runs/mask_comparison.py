"""Masks of a store held against true ones: the data set's own, or those in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from dapt.config import MaskFormat
from dapt.console import progress, say, warn
from dapt.cues.quality import FIGURES, MaskQuality, compare_masks
from dapt.data.items import UNLABELLED, Item
from dapt.data.load.notes import say_notes
from dapt.data.masks.mask_collections import MaskCounts, check_convention
from dapt.data.masks.mask_files import check_format, fit_mask, mask_folder, read_mask
from dapt.data.masks.mask_finder import MaskFinder, own_or_found
from dapt.data.masks.not_found import explain_not_found
from dapt.data.masks.photo_mask import mask_of_photo
from dapt.data.masks.rules import MaskRules
from dapt.environment import cores
from dapt.errors import DataError
from dapt.runs.mask_folder import MaskFolder
from dapt.wording import counted, some

OWN = "own"
AGAINST = "--against"
TOGETHER = 32  # images whose masks are in memory

Read = tuple[str, "tuple[Tensor, Tensor] | None", bool]


class TrueMasks:
    """True masks of images.

    Args:
        source: `OWN`, or a folder of mask files. own_kind: the format of the data set's own. kind: that of the folder.
        items: all images. name: of the data set.

    Raises:
        ConfigError: no such folder or format. DataError: none of the images has one.
    """

    def __init__(
        self, source: str, items: Sequence[Item], name: str, *, own_kind: MaskFormat, kind: str | None = None
    ) -> None:
        self.source = source
        self.finder: MaskFinder | None = None
        if source == OWN:
            self.rules = MaskRules(own_kind)
            if not any(item.mask is not None and item.mask.is_file() for item in items):
                raise DataError(f"{name} has no masks of its own to compare with.", todo=f"Leave {AGAINST} own out.")
            return
        folder = mask_folder(source, AGAINST)
        assert folder is not None
        self.rules = MaskRules(check_format(kind or "binary"))
        self.finder = MaskFinder(folder, self.rules.kind)
        self.finder.check(items)
        if not any(self.finder.find(item) for item in items):
            more, _ = explain_not_found(items, folder, self.rules)
            raise DataError(
                "None of the images has a true mask.",
                where=f"{AGAINST} {source}",
                more=more,
                todo="Name the true masks as their images, or write their paths into a column mask of the data and use "
                f"{AGAINST} own.",
            )

    def files(self, item: Item) -> tuple[Path, ...]:
        """The files of the true mask of an image, none where it has none."""
        return tuple(path for path in own_or_found(item, self.finder) if path.is_file())


@dataclass
class Comparison:
    """What was found.

    Attributes:
        quality: of all images. classes: by name of the class. iou: by name of the image.
        left_out: names of images that were not compared, by reason.
    """

    quality: MaskQuality = field(default_factory=MaskQuality)
    classes: dict[str, MaskQuality] = field(default_factory=dict)
    iou: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def tree(self, true: TrueMasks) -> dict[str, Any]:
        """For ``masks.json``: figures with intervals, of all images and by class, and how many were left out."""
        return {
            "masks": true.source,
            "format": true.rules.kind,
            **self.quality.intervals(),
            "left_out": {why: len(names) for why, names in self.left_out.items()},
            "classes": {name: quality.intervals() for name, quality in sorted(self.classes.items())},
        }


def compare_with(
    true: TrueMasks, folder: MaskFolder, items: Sequence[Item], names: Sequence[str], *, skip_bad: bool
) -> Comparison:
    """Compare the masks of images with true ones, and say what was found.

    Args:
        names: of the classes, by label. skip_bad: leave out images whose true mask cannot be used.

    Raises:
        DataError: a true mask cannot be used and `skip_bad` is false, or all of them seem to be of another format.
    """
    found, counts = Comparison(), MaskCounts()
    for item, (why, pair, misread) in progress(
        _pairs(true, folder, items, skip_bad), len(items), "comparing masks", "masks"
    ):
        if pair is not None and (blank := _blank(pair[1])):
            why, pair = blank, None
        counts.misread += misread
        counts.read += why in ("", EMPTY, FULL)
        counts.empty += why == EMPTY
        counts.full += why == FULL
        if pair is None:
            found.left_out.setdefault(why, []).append(item.name)
            continue
        quality = MaskQuality()
        compare_masks(*pair, quality)
        label = names[item.label] if item.label != UNLABELLED else ""
        for whole in (found.quality, *([found.classes.setdefault(label, MaskQuality())] if label else [])):
            for figure in FIGURES:
                getattr(whole, figure).extend(getattr(quality, figure))
        found.iou[item.name] = quality.iou[0]
    say_notes()
    if true.finder is not None:
        check_convention(counts, items, true.finder.folder, true.rules.kind, rules=true.rules)
    if found.iou:
        say(f"against {counted(len(found.iou), 'true mask')}, with 95% intervals: {_intervals(found.quality)}")
    else:
        say(found.quality.summary())
    for why, left in found.left_out.items():
        are = "is not compared, its true mask is" if len(left) == 1 else "are not compared, their true masks are"
        warn(f"{len(left)} of the images {are} {why}: {some(left)}")
    return found


def _intervals(quality: MaskQuality) -> str:
    """Of all figures, as text."""
    tree = quality.intervals()
    parts = []
    for figure, label in zip(FIGURES, ("IoU", "boundary F", "foreground kept", "background kept"), strict=True):
        low, high = tree[figure]["interval"]
        parts.append(f"{label} {tree[figure]['mean']:.1f}% ({low:.1f} to {high:.1f})")
    return ", ".join(parts)


ABSENT, EMPTY, FULL, BAD = "not there", "empty", "full", "not to be used"


def _pairs(true: TrueMasks, folder: MaskFolder, items: Sequence[Item], skip_bad: bool) -> Iterator[tuple[Item, Read]]:
    """Masks and true ones, read in threads, so many at a time that few are held in memory."""
    with ThreadPoolExecutor(max(4, cores())) as pool:
        for start in range(0, len(items), TOGETHER):
            part = items[start : start + TOGETHER]
            yield from zip(part, pool.map(lambda item: _pair(true, folder, item, skip_bad), part), strict=True)


def _pair(true: TrueMasks, folder: MaskFolder, item: Item, skip_bad: bool) -> Read:
    """A mask and its true one; why they are not compared (empty: they are), and whether the format seems another."""
    files = true.files(item)
    if not files:
        return ABSENT, None, False
    try:
        mask = mask_of_photo(files, item.path, true.rules)
        theirs = fit_mask(mask.mask, mask.upright, files[0], item.path)
    except DataError:
        if not skip_bad:
            raise
        return BAD, None, False
    written = folder.target(item)
    ours = fit_mask(read_mask(written, "binary"), mask.upright, written, item.path)
    return "", (ours, theirs), mask.misread


def _blank(mask: Tensor) -> str:
    return EMPTY if not mask.any() else FULL if mask.all() else ""
