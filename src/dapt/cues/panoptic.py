"""Panoptic segmentation: things are foreground, stuff is background and has names.

Mask2Former (Cheng et al., CVPR 2022, arXiv 2112.01527) and OneFormer (Jain et al., CVPR 2023, arXiv 2211.06220).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from dapt.clip.transformers_layout import read_table
from dapt.cues.base import CUES, CueContext
from dapt.cues.model_cue import Found, ModelCue, ModelOptions, Photo
from dapt.cues.model_place import Kind, check_kind, find_model, made_with_model
from dapt.cues.panoptic_classes import plain_name, thing_labels
from dapt.cues.transformers_model import load_model, load_processor, transformers_library
from dapt.strict import Names

KIND = Kind("panoptic segmentation", ("mask2former", "oneformer"), "facebook/mask2former-swin-tiny-coco-panoptic")


class PanopticOptions(ModelOptions):
    """Options of panoptic segmentation."""

    model: Annotated[str, Names.SEGMENTER] = Field(
        "", description="Model of the cue: a folder, or a name on the Hugging Face hub; empty: see docs/cues.md."
    )
    threshold: float = Field(0.5, ge=0, le=1, description="Probability from which a segment counts.")
    things: list[str] = Field(
        default_factory=list,
        description="Classes of the model that are foreground; none: those the data set calls things.",
    )


@CUES.register("panoptic")
class PanopticCue(ModelCue):
    """The union of all things; the names of the stuff in each image, largest first, are reported beside it.

    The score is the mean probability of the things by their area. An image without a thing: nothing is found.
    """

    options_type = PanopticOptions

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, PanopticOptions)
        self.options = context.options
        self._model: Any = None
        self._processor: Any = None
        self._task: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._things: frozenset[int] = frozenset()

    @property
    def _spec(self) -> str:
        return self.options.model or KIND.example

    def made_with(self) -> dict[str, Any]:
        return made_with_model(self._spec)

    def load(self, device: str) -> None:
        library = transformers_library(
            "panoptic", "Mask2FormerForUniversalSegmentation", "OneFormerForUniversalSegmentation"
        )
        folder = find_model(self._spec, KIND)
        if check_kind(folder, KIND) == "oneformer":
            kind = library.OneFormerForUniversalSegmentation
            images = load_processor(library.OneFormerImageProcessor, folder, class_info_file=None)  # else it is fetched
            words = load_processor(library.AutoTokenizer, folder)
            model = load_model(kind, folder, device)
            length = model.config.task_seq_len
            self._processor = library.OneFormerProcessor(images, words, max_seq_length=length, task_seq_length=length)
        else:
            kind = library.Mask2FormerForUniversalSegmentation
            self._processor = load_processor(library.Mask2FormerImageProcessor, folder)
            model = load_model(kind, folder, device)
        self._task = {"task_inputs": "panoptic"} if kind is library.OneFormerForUniversalSegmentation else {}
        self._names = {int(number): str(name).strip() for number, name in model.config.id2label.items()}
        self._things = thing_labels(self._names, self.options.things, _told_things(folder))
        self._model = model

    def unload(self) -> None:
        self._model = self._processor = None

    def segment(self, photos: Sequence[Photo]) -> list[Found]:
        task = {key: [value] * len(photos) for key, value in self._task.items()}
        inputs = self._processor([photo.pixels for photo in photos], return_tensors="pt", **task)
        real = inputs.get("pixel_mask")
        outputs = self._model(**inputs.to(self._model.device))
        return [
            self._found(outputs, place, photo, None if real is None else real[place])
            for place, photo in enumerate(photos)
        ]

    def _found(self, outputs: Any, place: int, photo: Photo, real: Tensor | None) -> Found:
        """One image of a batch: the library stretches its segments over what was filled up, too, so that is cut off."""
        logits = outputs.masks_queries_logits[place : place + 1].float()
        one = SimpleNamespace(
            class_queries_logits=outputs.class_queries_logits[place : place + 1].float(),
            masks_queries_logits=logits if real is None else _unfilled(logits, real),
        )
        [result] = self._processor.post_process_panoptic_segmentation(
            one,
            threshold=self.options.threshold,
            label_ids_to_fuse=set(),  # with some, the library gives two segments one number
            target_sizes=[photo.size],
        )
        return self._summed(result["segmentation"], result["segments_info"])

    def _summed(self, segmentation: Tensor, segments: Sequence[dict[str, Any]]) -> Found:
        mask = torch.zeros_like(segmentation, dtype=torch.bool)
        stuff: dict[str, int] = {}
        weighted, area_of_things = 0.0, 0
        for segment in segments:
            inside = segmentation == segment["id"]
            area = int(inside.sum())
            if segment["label_id"] in self._things:
                mask |= inside
                weighted += segment["score"] * area
                area_of_things += area
            else:
                name = plain_name(self._names[segment["label_id"]])
                stuff[name] = stuff.get(name, 0) + area
        names = tuple(sorted((name for name in stuff if stuff[name]), key=lambda name: -stuff[name]))
        if not area_of_things:
            return Found(None, 0.0, names)
        return Found(mask, weighted / area_of_things, names)


def _unfilled(logits: Tensor, real: Tensor) -> Tensor:
    """The part of maps ``[1, queries, h, w]`` that shows the photo; `real` ``[H, W]`` is 1 on the photo, else 0."""
    height, width = logits.shape[-2:]
    rows, columns = int(real.any(dim=1).sum()), int(real.any(dim=0).sum())
    high = max(1, round(rows * height / real.shape[0]))
    wide = max(1, round(columns * width / real.shape[1]))
    return logits[..., :high, :wide]


def _told_things(folder: Path) -> list[int] | None:
    """The numbers of things that the preprocessing of OneFormer tells, if it does."""
    path = folder / "preprocessor_config.json"
    told = read_table(path).get("metadata") if path.is_file() else None
    things = told.get("thing_ids") if isinstance(told, dict) else None
    known = isinstance(things, list) and all(isinstance(number, int) for number in things)
    return things if known else None
