"""Grounding DINO finds boxes for words, SAM 2 makes masks of them (Liu et al., ECCV 2024, arXiv 2303.05499; Ren et al.,
2024, arXiv 2401.14159).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from dapt.console import say
from dapt.cues.base import CUES, CueContext
from dapt.cues.model_cue import Found, Photo
from dapt.cues.model_place import Kind, find_model, made_with_model
from dapt.cues.sam2_model import KIND as SAM2
from dapt.cues.sam2_model import Box, Sam2
from dapt.cues.text_cue import TextCue, TextOptions
from dapt.cues.transformers_model import load_model, load_processor, transformers_library
from dapt.strict import Count, Names

KIND = Kind("Grounding DINO", ("grounding-dino",), "IDEA-Research/grounding-dino-tiny")


class GroundedSamOptions(TextOptions):
    """Options of Grounding DINO with SAM 2."""

    model: Annotated[str, Names.SEGMENTER] = Field(
        "", description="Model of the cue: a folder, or a name on the Hugging Face hub; empty: see docs/cues.md."
    )
    detector: Annotated[str, Names.SEGMENTER] = Field(
        "", description="The Grounding DINO: a folder or a name; empty: see docs/cues.md."
    )
    threshold: float = Field(0.3, ge=0, le=1, description="Score from which a box counts.")
    boxes: Count = Field(20, ge=1, description="At most so many boxes of an image, the best ones.")


@CUES.register("grounded_sam")
class GroundedSamCue(TextCue):
    """The union of the masks in all boxes found for the text; several objects of a class all count.

    The score of an image is that of its best box. No box above `cue.threshold`: nothing is found.
    """

    options_type = GroundedSamOptions

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, GroundedSamOptions)
        self.options = context.options
        self._detector: Any = None
        self._processor: Any = None
        self._sam: Sam2 | None = None
        self._capped = False

    def made_with(self) -> dict[str, Any]:
        found = made_with_model(self.options.detector or KIND.example)
        return {
            **made_with_model(self.options.model or SAM2.example),
            **{f"detector_{key}": found[key] for key in found},
        }

    def load(self, device: str) -> None:
        library = transformers_library("grounded_sam", "GroundingDinoForObjectDetection", "Sam2Model")
        folder = find_model(self.options.detector or KIND.example, KIND)
        self._processor = load_processor(library.GroundingDinoProcessor, folder)
        self._detector = load_model(library.GroundingDinoForObjectDetection, folder, device)
        self._sam = Sam2("grounded_sam", self.options.model or SAM2.example, device)

    def unload(self) -> None:
        self._detector = self._processor = self._sam = None

    def segment(self, photos: Sequence[Photo]) -> list[Found]:
        assert self._sam is not None
        found = self._boxes(photos)
        with_boxes = [place for place, (boxes, _) in enumerate(found) if boxes]
        answers = [Found(None, 0.0)] * len(photos)
        if with_boxes:
            masks = self._sam.segment(
                [photos[place] for place in with_boxes], [found[place][0] for place in with_boxes]
            )
            for place, mask in zip(with_boxes, masks, strict=True):
                answers[place] = Found(mask.mask, found[place][1])
        return answers

    def _boxes(self, photos: Sequence[Photo]) -> list[tuple[list[Box], float]]:
        """The boxes of each photo, best first, and the best score."""
        inputs = self._processor(
            images=[photo.pixels for photo in photos],
            text=[_phrase(photo.text) for photo in photos],
            padding=True,
            truncation=True,
            return_tensors="pt",
        ).to(self._detector.device)
        results = self._processor.post_process_grounded_object_detection(
            self._detector(**inputs),
            inputs["input_ids"],
            threshold=self.options.threshold,
            text_threshold=self.options.threshold,
            target_sizes=[(photo.height, photo.width) for photo in photos],
        )
        return [self._best(result, photo) for result, photo in zip(results, photos, strict=True)]

    def _best(self, result: Any, photo: Photo) -> tuple[list[Box], float]:
        order = result["scores"].float().argsort(descending=True)
        limits = result["boxes"].new_tensor([photo.width, photo.height] * 2).float()
        boxes = result["boxes"].float()[order].clamp(min=0).minimum(limits)
        scores = result["scores"].float()[order]
        real = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(dim=1)
        boxes, scores = boxes[real], scores[real]
        if len(boxes) > self.options.boxes and not self._capped:
            self._capped = True
            say(
                f"grounded_sam: {len(boxes)} boxes were found in {photo.name}; of an image the best "
                f"{self.options.boxes} are used (cue.boxes)."
            )
        kept = [_box(row) for row in boxes[: self.options.boxes].tolist()]
        return kept, float(scores[0]) if kept else 0.0


def _phrase(text: str) -> str:
    """As the model was trained: in small letters, with a full stop behind each thing and nowhere else."""
    return " ".join(text.lower().replace(".", " ").split()) + "."


def _box(row: Sequence[float]) -> Box:
    left, top, right, bottom = row
    return left, top, right, bottom
