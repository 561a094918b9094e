"""CLIPSeg: a small decoder on CLIP, told what to look for (Lüddecke and Ecker, CVPR 2022, arXiv 2112.10003)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from dapt.cues.base import CUES, CueContext
from dapt.cues.model_cue import Found, Photo
from dapt.cues.model_place import Kind, find_model, made_with_model
from dapt.cues.text_cue import TextCue, TextOptions
from dapt.cues.transformers_model import load_model, load_processor, transformers_library
from dapt.data.load.resize import resize_map
from dapt.strict import Names

KIND = Kind("CLIPSeg", ("clipseg",), "CIDAS/clipseg-rd64-refined")


class ClipSegOptions(TextOptions):
    """Options of CLIPSeg."""

    model: Annotated[str, Names.SEGMENTER] = Field(
        "", description="Model of the cue: a folder, or a name on the Hugging Face hub; empty: see docs/cues.md."
    )
    threshold: float = Field(0.4, ge=0, le=1, description="Probability from which a pixel is foreground.")
    soft: bool = Field(False, description="Keep the map as it is instead of cutting at the threshold.")


@CUES.register("clipseg")
class ClipSegCue(TextCue):
    """The probability map of the text in the photo, cut at `cue.threshold` or kept soft.

    The score of an image is the mean probability of its foreground. No pixel above the threshold: nothing is found.
    """

    options_type = ClipSegOptions

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, ClipSegOptions)
        self.options = context.options
        self.soft = self.options.soft
        self._model: Any = None
        self._processor: Any = None

    @property
    def _spec(self) -> str:
        return self.options.model or KIND.example

    def made_with(self) -> dict[str, Any]:
        return made_with_model(self._spec)

    def load(self, device: str) -> None:
        library = transformers_library("clipseg", "CLIPSegForImageSegmentation")
        folder = find_model(self._spec, KIND)
        self._processor = load_processor(library.CLIPSegProcessor, folder)
        self._model = load_model(library.CLIPSegForImageSegmentation, folder, device)

    def unload(self) -> None:
        self._model = self._processor = None

    def segment(self, photos: Sequence[Photo]) -> list[Found]:
        inputs = self._processor(
            text=[photo.text for photo in photos],
            images=[photo.pixels for photo in photos],
            padding=True,
            truncation=True,
            return_tensors="pt",
        ).to(self._model.device)
        logits = self._model(**inputs).logits
        maps = logits.reshape(len(photos), *logits.shape[-2:]).float().sigmoid()
        return [self._found(resize_map(each, photo.size, soft=True)) for each, photo in zip(maps, photos, strict=True)]

    def _found(self, probability: Any) -> Found:
        inside = probability >= self.options.threshold
        if not inside.any():
            return Found(None, 0.0)
        return Found(probability if self.soft else inside, float(probability[inside].mean()))
