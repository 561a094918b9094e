"""SAM 2 asked with points and a box that another cue gives: a coarse mask becomes one with sharp edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from dapt.cues.base import CUES, Cue, CueContext
from dapt.cues.bounded import bounded_size
from dapt.cues.model_cue import Found, ModelCue, ModelOptions, Photo
from dapt.cues.model_place import made_with_model
from dapt.cues.sam2_model import KIND, Box, Point, Sam2
from dapt.data.items import Item
from dapt.errors import ConfigError
from dapt.strict import Names
from dapt.validation import validated

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip

NEAR = 8  # points are kept apart by this part of the longer side, and looked for in windows of this part


class Sam2Options(ModelOptions):
    """Options of SAM 2."""

    model: Annotated[str, Names.SEGMENTER] = Field(
        "", description="Model of the cue: a folder, or a name on the Hugging Face hub; empty: see docs/cues.md."
    )
    prompt: str = Field("border", description="The cue whose mask says where the object is.")
    prompt_options: dict[str, Any] = Field(default_factory=dict, description="Options of that cue, without 'cue.'.")
    points: int = Field(3, ge=1, le=50, description="Points on the object that SAM 2 is given beside the box.")


@CUES.register("sam2")
class Sam2Cue(ModelCue):
    """What SAM 2 sees in the box around another cue's mask, through points well inside that.

    The other cue is asked once, before training, also where it follows the prompts. Images in which it sees nothing
    have no cue. The score is the overlap that SAM 2 expects of its mask.
    """

    options_type = Sam2Options

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, Sam2Options)
        self.options = context.options
        self._prompt = self._made_prompt(context)
        self.needs_model = self._prompt.needs_model or self._prompt.follows_prompts
        self._sam: Sam2 | None = None

    def _made_prompt(self, context: CueContext) -> Cue:
        name = self.options.prompt
        kind = CUES.get(name)
        if issubclass(kind, Sam2Cue) or kind.argument:
            raise ConfigError(f"The cue {name} cannot be the prompt of sam2.", where="cue.prompt")
        options = validated(kind.options_type, self.options.prompt_options, "cue.prompt_options.")
        cue = kind(replace(context, options=options))
        cue.name = name
        return cue

    def made_with(self) -> dict[str, Any]:
        own = made_with_model(self.options.model or KIND.example)
        return {**own, **{f"prompt_{key}": value for key, value in self._prompt.made_with().items()}}

    def load(self, device: str) -> None:
        self._sam = Sam2("sam2", self.options.model or KIND.example, device)

    def unload(self) -> None:
        self._sam = None
        self._prompt.close()

    def hints(self, items: Sequence[Item], model: PromptedClip | None) -> Sequence[Tensor | None]:
        return self._prompt.prepare(items, model)

    def segment(self, photos: Sequence[Photo]) -> list[Found]:
        assert self._sam is not None
        asked = [(place, question_of(photo, self.options.points)) for place, photo in enumerate(photos)]
        known = [(place, question) for place, question in asked if question is not None]
        answers = [Found(None, 0.0)] * len(photos)
        if known:
            boxes, points = [[question[0]] for _, question in known], [question[1] for _, question in known]
            found = self._sam.segment([photos[place] for place, _ in known], boxes, points)
            for (place, _), answer in zip(known, found, strict=True):
                answers[place] = answer
        return answers


def question_of(photo: Photo, count: int) -> tuple[Box, list[Point]] | None:
    """The box around a photo's hint, and points in the parts of it that are thickest, in pixels of the photo.

    The first point is where most of the hint lies around it; each further one likewise, some way from those before.
    None: there is no hint, or nothing in it reaches one half.
    """
    if photo.hint is None or not (photo.hint.float() > 0.5).any():
        return None
    hint = photo.hint.float()
    size = bounded_size(*hint.shape)
    inside = hint > 0.5
    rows, columns = inside.any(dim=1).nonzero().flatten(), inside.any(dim=0).nonzero().flatten()
    height, width = size
    down, across = photo.height / hint.shape[0], photo.width / hint.shape[1]
    box = (int(columns[0]) * across, int(rows[0]) * down, (int(columns[-1]) + 1) * across, (int(rows[-1]) + 1) * down)
    window = max(1, max(height, width) // NEAR) | 1
    around = hint[None, None]
    for _ in range(2):  # once gives a plateau, whose first pixel may lie at an edge
        around = functional.avg_pool2d(around, window, stride=1, padding=window // 2)
    around = around[0, 0]
    weight = torch.where(inside, around, torch.zeros_like(around))
    points: list[Point] = []
    while len(points) < count and float(weight.max()) > 0:
        row, column = divmod(int(weight.argmax()), weight.shape[1])
        points.append(((column + 0.5) * across, (row + 0.5) * down))
        weight[max(0, row - window) : row + window + 1, max(0, column - window) : column + window + 1] = 0
    return box, points
