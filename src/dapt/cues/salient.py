"""What stands out in a photo, whatever it is: U²-Net, IS-Net, BiRefNet through the package rembg.

U²-Net: Qin et al., Pattern Recognition 2020, arXiv 2005.09007. IS-Net: Qin et al., ECCV 2022, arXiv 2203.03041.
BiRefNet: Zheng et al., 2024, arXiv 2401.03407.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from dapt.cues.base import CUES, CueContext
from dapt.cues.model_cue import Found, ModelCue, Photo, numpy_of
from dapt.cues.model_place import digest_of_model
from dapt.cues.salient_session import open_session, weights_file
from dapt.data.load.resize import resize_map
from dapt.strict import Names, PartOptions

DEFAULT = "u2net"


class SalientOptions(PartOptions):
    """Options of models that find what stands out."""

    model: Annotated[str, Names.SEGMENTER] = Field(
        "", description="A name that rembg knows, or an ONNX file; empty: u2net."
    )
    family: Literal["u2net", "isnet", "birefnet"] = Field(
        "u2net", description="How an ONNX file of your own wants its input and writes its output."
    )
    threshold: float = Field(0.5, ge=0, le=1, description="Value from which a pixel is foreground.")
    soft: bool = Field(False, description="Keep the map as it is instead of cutting at the threshold.")


@CUES.register("salient")
class SalientCue(ModelCue):
    """The map of what stands out, cut at `cue.threshold` or kept soft; one image at a time, as rembg computes.

    `cue.model` is a name that rembg knows (``u2net``, ``isnet-general-use``, ``birefnet-general``, ...) or a local ONNX
    file. The score is the mean value of the foreground. rembg stretches the maps of its named models to 0..1, so that
    these find something in every image.
    """

    options_type = SalientOptions

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, SalientOptions)
        self.options = context.options
        self.soft = self.options.soft
        self._session: Any = None

    def made_with(self) -> dict[str, Any]:
        file = weights_file(self.options.model or DEFAULT)
        return {} if file is None else {"weights": digest_of_model(file)}

    def load(self, device: str) -> None:
        self._session = open_session(self.options.model or DEFAULT, self.options.family, device)

    def unload(self) -> None:
        self._session = None

    def segment(self, photos: Sequence[Photo]) -> list[Found]:
        return [self._found(photo) for photo in photos]

    def _found(self, photo: Photo) -> Found:
        values = torch.from_numpy(self._session(numpy_of(photo)))
        values = resize_map(values, photo.size, soft=True)
        inside = values >= self.options.threshold
        if not inside.any() or not float(values.max()) > 0:
            return Found(None, 0.0)
        return Found(values if self.soft else inside, float(values[inside].mean()))
