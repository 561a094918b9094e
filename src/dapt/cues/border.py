"""What differs in colour from the border of the picture: no model, no classes, no files.

Yang et al., "Saliency detection via graph-based manifold ranking", CVPR 2013, see `dapt.cues.ranking`. It takes for
granted that most of what lies at the border of a photo is background, so it fails where objects fill the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from pydantic import Field
from torch import Tensor

from dapt.cues.base import CUES, CueContext
from dapt.cues.map_cue import MapCue, MapOptions
from dapt.cues.ranking import GRID, cell_colours, unlike_the_border
from dapt.data.items import Item

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


class BorderOptions(MapOptions):
    """Options of the ranking."""

    cells: int = Field(GRID, ge=4, le=48, description="Cells per side in which a photo is compared with its border.")
    colour_spread: float = Field(
        0.07, ge=0.001, le=10, description="Distance of colours (black to white: 1) at which cells are strangers."
    )


@CUES.register("border")
class BorderCue(MapCue):
    """Foreground is what differs in colour from all sides of the picture, and what is like that."""

    options_type = BorderOptions
    label = "comparing with the border"

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, BorderOptions)
        self.options = context.options

    def maps(self, items: Sequence[Item], photos: Sequence[Tensor], model: PromptedClip | None) -> Tensor:
        colours = torch.stack([cell_colours(photo, self.options.cells) for photo in photos])
        return unlike_the_border(colours, self.options.colour_spread)
