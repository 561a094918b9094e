"""A control: random grid cells as foreground (hide-and-seek, Singh and Lee 2017, arXiv 1704.04232)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dapt.cues.base import CUES, Cue, CueReport
from dapt.data.items import Item
from dapt.seeds import mix_seed

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


@CUES.register("random")
class RandomGridCue(Cue):
    """Every cell of a grid is background with probability `cue.hide`, fixed by seed and image name."""

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        self.report = CueReport()
        side = self.context.options.grid
        masks = []
        for item in items:
            seed = mix_seed(self.context.seed, zlib.crc32(item.name.encode()))
            generator = torch.Generator().manual_seed(seed)
            cells = torch.rand(side, side, generator=generator) >= self.context.options.hide
            masks.append(self.report.add(item.name, cells))
        return masks
