"""Which folders of masks were guessed: by a cue of `dapt masks`, not drawn by anybody."""

from __future__ import annotations

from pathlib import Path

from dapt.cues.base import CUES
from dapt.data.masks.photo_mask import MADE_HERE
from dapt.errors import DaptError
from dapt.runs.import_masks import IMPORTED
from dapt.runs.mask_settings import settings_there


def guessed_by(folder: Path) -> str:
    """The cue of a folder that `dapt masks` has filled by a guess; empty of all others."""
    if not (folder / MADE_HERE).is_file():
        return ""
    try:
        made_by = str(settings_there(folder / MADE_HERE)["cue"])
    except (DaptError, KeyError):
        return ""
    drawn = made_by == IMPORTED or (made_by in CUES.names() and CUES.get(made_by).reads_files)
    return "" if drawn else made_by
