"""What the configuration of a run says of how its images are read, made a setting of the process."""

from __future__ import annotations

from dapt.config import RunConfig
from dapt.data.load import draft
from dapt.data.load.pixels import use_setting
from dapt.data.load.reading import Reading, use_reading


def use_settings(config: RunConfig) -> None:
    """Read images as `config` says from now on: their largest size, how much is decoded, and their colours."""
    use_setting(config.max_pixels)
    draft.use_setting(config.draft)
    use_reading(reading_of(config))


def reading_of(config: RunConfig) -> Reading:
    """How images of a run are read."""
    return Reading(config.matte, config.bits)
