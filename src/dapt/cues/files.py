"""Cues from files: a mirrored folder of masks, or the masks the data set brings."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from dapt.console import progress
from dapt.cues.base import CUES, Cue, CueReport
from dapt.data.items import Item
from dapt.data.mask_files import fit_mask, mirrored, read_mask, resize_map
from dapt.errors import DataError

if TYPE_CHECKING:
    from dapt.training.model import PromptedClip


LONGEST = 1024


class _FileCue(Cue):
    """Masks read from one file per image."""

    def path_of(self, item: Item) -> Path | None:
        """Where the mask of an item is."""
        raise NotImplementedError

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        self.report = CueReport()
        masks: list[Tensor | None] = []
        with ThreadPoolExecutor() as pool:
            read = progress(pool.map(self._read, items), len(items), "reading masks", "masks")
            for item, (mask, bad) in zip(items, read, strict=True):
                if bad:
                    self.report.total += 1
                    self.report.bad.append(item.name)
                masks.append(None if bad else self.report.add(item.name, mask))
        return masks

    def _read(self, item: Item) -> tuple[Tensor | None, bool]:
        """The mask of an item, if it has one, and whether it is left out because it cannot be used.

        Raises:
            DataError: it cannot be used, and `skip_bad` is false.
        """
        path = self.path_of(item)
        if path is None:
            return None, False
        try:
            mask = read_mask(path, self.context.kind)
            height, width = self.context.load_image(item).shape[-2:]
            mask = fit_mask(mask, (height, width), path, item.path)
        except DataError:
            if not self.context.skip_bad:
                raise
            return None, True
        return _smaller(mask), False


def _smaller(mask: Tensor) -> Tensor:
    """At most `LONGEST` pixels a side: crops are resized to the model's input anyway, and memory is dear."""
    longest = max(mask.shape)
    if longest <= LONGEST:
        return mask
    height, width = (max(1, round(side * LONGEST / longest)) for side in mask.shape)
    return resize_map(mask, (height, width), soft=False) > 0.5


@CUES.register("masks")
class MaskFileCue(_FileCue):
    """Masks from ``--masks DIR``, or from the index when no folder is given."""

    def path_of(self, item: Item) -> Path | None:
        if self.context.folder is None:
            return item.mask
        return mirrored(self.context.folder, item.name)


@CUES.register("dataset")
class DatasetCue(_FileCue):
    """The data set's own annotation (the ``mask`` column of a CSV index)."""

    def path_of(self, item: Item) -> Path | None:
        return item.mask
