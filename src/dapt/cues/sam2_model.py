"""SAM 2 for single images: boxes and points in, masks out (Ravi et al., 2024, arXiv 2408.00714)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from dapt.cues.model_cue import Found, Photo
from dapt.cues.model_place import Kind, find_model
from dapt.cues.transformers_model import load_model, load_processor, transformers_library

KIND = Kind("SAM 2", ("sam2", "sam2_video"), "facebook/sam2.1-hiera-small")

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels of the photo
Point = tuple[float, float]  # x, y


class Sam2:
    """The model on a device.

    Args:
        cue: for whom, in messages. spec: folder or name of the model. device: a torch device.

    Raises:
        DaptError: it cannot be loaded.
    """

    def __init__(self, cue: str, spec: str, device: str) -> None:
        library = transformers_library(cue, "Sam2Model", "Sam2Processor")
        folder = find_model(spec, KIND)
        self._processor = load_processor(library.Sam2Processor, folder)
        self._model = load_model(library.Sam2Model, folder, device)

    def segment(
        self,
        photos: Sequence[Photo],
        boxes: Sequence[Sequence[Box]],
        points: Sequence[Sequence[Point]] | None = None,
    ) -> list[Found]:
        """The union of what is in the boxes of each photo.

        Args:
            boxes: of each photo, at least one. points: on the object, where each photo has one box only.

        Returns:
            hard masks; the score is the mean overlap that the model expects of its masks.
        """
        inputs = self._processor(
            images=[photo.pixels for photo in photos],
            input_boxes=_filled(boxes),
            return_tensors="pt",
            **_points(points),
        ).to(self._model.device)
        inputs.pop("original_sizes")
        outputs = self._model(**inputs, multimask_output=False)
        logits = [each[: len(own)].float() for each, own in zip(outputs.pred_masks, boxes, strict=True)]
        masks = self._processor.post_process_masks(logits, [photo.size for photo in photos])
        overlap = outputs.iou_scores.float().clamp(0, 1)
        scores = [float(each[: len(own)].mean()) for each, own in zip(overlap, boxes, strict=True)]
        unions = [each.reshape(-1, *each.shape[-2:]).any(dim=0) for each in masks]
        return [
            Found(union, score) if union.any() else Found(None, 0.0)
            for union, score in zip(unions, scores, strict=True)
        ]


def _filled(boxes: Sequence[Sequence[Box]]) -> list[list[list[float]]]:
    """The same number of boxes for each photo, as the model wants it: the last one repeated."""
    most = max(map(len, boxes))
    return [[list(box) for box in (*own, *([own[-1]] * (most - len(own))))] for own in boxes]


def _points(points: Sequence[Sequence[Point]] | None) -> dict[str, Any]:
    if points is None:
        return {}
    most = max(map(len, points))
    filled = [[list(point) for point in (*own, *([own[-1]] * (most - len(own))))] for own in points]
    return {
        "input_points": [[own] for own in filled],
        "input_labels": torch.ones(len(filled), 1, most, dtype=torch.int64),
    }
