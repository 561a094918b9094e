"""The fine cue (DAPT-S): masks from files."""

from __future__ import annotations

from dapt.cues.base import CUES, CueContext
from dapt.cues.file_cue import FileCue
from dapt.data.masks.mask_finder import MaskFinder


@CUES.register("masks")
class MaskFileCue(FileCue):
    """Masks from ``--masks DIR``, or the data set's own when no folder is given."""

    def __init__(self, context: CueContext) -> None:
        finder = MaskFinder(context.folder, context.kind, context.rules.name) if context.folder else None
        super().__init__(context, finder)
