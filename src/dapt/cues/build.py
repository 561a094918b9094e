"""The cue of a run from its configuration."""

from __future__ import annotations

from dapt.config import RunConfig
from dapt.cues.base import CUES, Cue, CueContext
from dapt.data.items import ImageSet
from dapt.data.load.image_cache import ImageCache
from dapt.data.masks.mask_files import mask_folder


def build_cue(config: RunConfig, cache: ImageCache, data: ImageSet) -> Cue:
    """The source of foreground masks.

    Args:
        data: the whole data set, whose own masks are used where no folder is given.

    Raises:
        DaptError: there is no such source or folder, or the folder's files cannot be told apart.
    """
    source = config.cue.source
    if source == "auto":
        source = "masks" if config.masks or data.has_masks else "gradcam"
    cue_type = CUES.get(source)
    folder = mask_folder(config.masks)
    context = CueContext(config.cue, folder, config.mask_format, config.skip_bad, cache, config.seed, data)
    cue = cue_type(context)
    cue.name = source
    return cue
