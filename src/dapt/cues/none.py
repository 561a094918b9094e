"""No cue: every image goes without its DAPT terms (for ablations)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from dapt.cues.base import CUES, Cue, CueReport
from dapt.data.items import Item

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


@CUES.register("none")
class NoCue(Cue):
    """No masks at all."""

    may_be_without = True

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        self.report = CueReport()
        return [self.report.add(item.name, None) for item in items]
