"""Cues from files: a folder of masks, or the masks the data set brings."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor

from dapt.config import MaskFormat
from dapt.console import progress
from dapt.cues.base import Cue, CueContext, CueReport
from dapt.data.items import Item
from dapt.data.load.resize import resize_map
from dapt.data.masks.mask_collections import MaskCounts, MaskFinder, check_convention, own_or_found
from dapt.data.masks.mask_files import fit_mask, foreground_of, misread, read_values
from dapt.errors import DataError

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


LONGEST = 1024


class _Read(NamedTuple):
    """The mask of an image, if it has one; whether it cannot be used; whether the format seems to be another."""

    mask: Tensor | None
    bad: bool = False
    misread: bool = False


class FileCue(Cue):
    """Masks read from one file per image: the data set's own masks, unless there is a finder.

    Attributes:
        kind: the format in which they are read.
    """

    reads_files = True

    def __init__(self, context: CueContext, finder: MaskFinder | None = None) -> None:
        super().__init__(context)
        own_kind = context.data.mask_format if context.data is not None else None
        self._finder = finder
        self._own_kind = own_kind
        self.kind: MaskFormat = context.kind if finder is not None or own_kind is None else own_kind
        self._items: Sequence[Item] = ()
        self._misread = 0
        self._checked = finder is not None and context.data is not None
        if finder is not None and context.data is not None:
            finder.check(chain.from_iterable(context.data.splits.values()))

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        if self._finder is not None and not self._checked:
            self._finder.check(items)
        self.report, self._items, self._misread = CueReport(), items, 0
        masks: list[Tensor | None] = []
        with ThreadPoolExecutor() as pool:
            read = progress(pool.map(self._read, items), len(items), "reading masks", "masks")
            for item, (mask, bad, other_format) in zip(items, read, strict=True):
                self._misread += other_format
                if bad:
                    self.report.total += 1
                    self.report.bad.append(item.name)
                masks.append(None if bad else self.report.add(item.name, mask))
        return masks

    def check(self) -> None:
        """Refuse the masks prepared last if they were read in another collection's format.

        Raises:
            DataError: at least 95% of them are empty or full; see `dapt.data.masks.mask_collections.MaskCounts`.
        """
        report = self.report
        counts = MaskCounts(
            read=report.total - len(report.missing) - len(report.bad),
            empty=len(report.empty),
            full=len(report.full),
            misread=self._misread,
        )
        folder = None if self._finder is None else self._finder.folder
        check_convention(counts, self._items, folder, self.kind, own_kind=self._own_kind)

    def _read(self, item: Item) -> _Read:
        """The mask of an item.

        Raises:
            DataError: it cannot be used, and `skip_bad` is false.
        """
        path = own_or_found(item, self._finder)
        if path is None:
            return _Read(None)
        try:
            return self._load(item, path)
        except DataError:
            if not self.context.skip_bad:
                raise
            return _Read(None, bad=True)

    def _load(self, item: Item, path: Path) -> _Read:
        values = read_values(path, self.kind)
        mask = foreground_of(values, self.kind)
        other_format = bool(mask.any()) and misread(values, mask, self.kind)
        height, width = self.context.load_image(item).shape[-2:]
        return _Read(_smaller(fit_mask(mask, (height, width), path, item.path)), misread=other_format)


def _smaller(mask: Tensor) -> Tensor:
    """At most `LONGEST` pixels a side: crops are resized to the model's input anyway, and memory is dear."""
    longest = max(mask.shape)
    if longest <= LONGEST:
        return mask
    height, width = (max(1, round(side * LONGEST / longest)) for side in mask.shape)
    return resize_map(mask, (height, width), soft=False) > 0.5
