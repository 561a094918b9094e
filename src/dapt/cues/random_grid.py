"""A control: random grid cells as foreground (hide-and-seek, Singh and Lee 2017, arXiv 1704.04232)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from pydantic import Field
from torch import Tensor

from dapt.cues.base import CUES, Cue, CueContext, CueReport
from dapt.data.items import Item
from dapt.seeds import mix_seed
from dapt.strict import PartOptions

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


class RandomGridOptions(PartOptions):
    """Options of random cells."""

    grid: int = Field(4, ge=1, le=1000, description="Cells per side.")
    hide: float = Field(0.5, ge=0, le=1, description="Probability that a cell is background.")


@CUES.register("random")
class RandomGridCue(Cue):
    """Every cell of a grid is background with probability `cue.hide`, fixed by seed and image name."""

    options_type = RandomGridOptions

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, RandomGridOptions)
        self.options = context.options

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        self.report = CueReport()
        side = self.options.grid
        masks = []
        for item in items:
            seed = mix_seed(self.context.seed, zlib.crc32(item.name.encode()))
            generator = torch.Generator().manual_seed(seed)
            cells = torch.rand(side, side, generator=generator) >= self.options.hide
            masks.append(self.report.add(item.name, cells))
        return masks
