"""The data set's own annotation."""

from __future__ import annotations

from dapt.cues.base import CUES, CueContext
from dapt.cues.file_cue import FileCue


@CUES.register("dataset")
class DatasetCue(FileCue):
    """The data set's own annotation (of a catalog data set, or the ``mask`` column of a CSV index)."""

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
