"""SAM 3: every instance of a concept that is named (Carion et al., 2025, arXiv 2511.16719)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from dapt.cues.base import CUES, CueContext
from dapt.cues.model_cue import Found, Photo
from dapt.cues.model_place import Kind, find_model, made_with_model
from dapt.cues.text_cue import TextCue, TextOptions
from dapt.cues.transformers_model import load_model, load_processor, transformers_library
from dapt.strict import Names

KIND = Kind("SAM 3", ("sam3", "sam3_video"), "facebook/sam3")
WORDS = 32  # tokens of a text


class Sam3Options(TextOptions):
    """Options of SAM 3."""

    model: Annotated[str, Names.SEGMENTER] = Field(
        "", description="Model of the cue: a folder, or a name on the Hugging Face hub; empty: see docs/cues.md."
    )
    threshold: float = Field(0.5, ge=0, le=1, description="Score from which an instance counts.")


@CUES.register("sam3")
class Sam3Cue(TextCue):
    """The union of all instances of the text. The score of an image is that of its best instance."""

    options_type = Sam3Options

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, Sam3Options)
        self.options = context.options
        self._model: Any = None
        self._processor: Any = None

    @property
    def _spec(self) -> str:
        return self.options.model or KIND.example

    def made_with(self) -> dict[str, Any]:
        return made_with_model(self._spec)

    def load(self, device: str) -> None:
        library = transformers_library("sam3", "Sam3Model", "Sam3Processor")
        folder = find_model(self._spec, KIND)
        self._processor = load_processor(library.Sam3Processor, folder)
        self._model = load_model(library.Sam3Model, folder, device)

    def unload(self) -> None:
        self._model = self._processor = None

    def segment(self, photos: Sequence[Photo]) -> list[Found]:
        pictures = self._processor.image_processor([photo.pixels for photo in photos], return_tensors="pt")
        words = self._processor.tokenizer(
            [photo.text for photo in photos],
            padding="max_length",
            truncation=True,  # which the processor as a whole does not do
            max_length=WORDS,
            return_tensors="pt",
        )
        device = self._model.device
        outputs = self._model(pixel_values=pictures["pixel_values"].to(device), **words.to(device))
        results = self._processor.post_process_instance_segmentation(
            outputs,
            threshold=self.options.threshold,
            mask_threshold=0.5,
            target_sizes=[photo.size for photo in photos],
        )
        return [_union(result) for result in results]


def _union(result: Any) -> Found:
    if not len(result["scores"]):
        return Found(None, 0.0)
    mask = result["masks"].bool().any(dim=0)
    return Found(mask, float(result["scores"].max())) if mask.any() else Found(None, 0.0)
