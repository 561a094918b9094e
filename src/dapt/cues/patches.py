"""Which patches look more like a class than like background: CLIP's own words, patch by patch, without gradient.

Patch features of the last block on a path that stays local (see `dapt.clip.taps`: MaskCLIP, ECCV 2022; SCLIP, ECCV
2024; CLIP Surgery, arXiv 2304.05653) are compared with the texts of all classes and of what backgrounds are made of. A
patch's value is the probability that it is any class; what the map says spreads to what is of like colour
(`dapt.cues.ranking`), or along the model's attention (`dapt.model.affinity`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor

from dapt.clip.taps import LocalPath, local_tokens, patch_attention, read_tokens, require_taps, tapped
from dapt.config import BACKGROUND_WORDS
from dapt.cues.base import CUES, CueContext
from dapt.cues.map_cue import MapCue, MapOptions
from dapt.cues.ranking import cell_colours, scaled, spread_by_colour
from dapt.data.items import Item
from dapt.data.load.transforms import whole_transform
from dapt.errors import DataError
from dapt.finite import require_finite
from dapt.model.affinity import spread_by_attention
from dapt.model.classifier import Classifier

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip

COLOUR_SPREAD = 0.07
STUFF = 3  # names of what a background is made of, per image


class TextOptions(MapOptions):
    """Options of cues that compare classes with backgrounds."""

    refine: Literal["none", "affinity", "colour"] | None = Field(
        None,
        description="affinity: the map spreads along the attention between patches (CLIP-ES); colour: to what is of "
        "like colour; none: neither. Not given: none for gradcam, colour for patches.",
    )
    layers: int = Field(8, ge=1, le=1000, description="refine=affinity: attention of the last so many blocks.")
    background: list[str] = Field(
        default=list(BACKGROUND_WORDS), min_length=1, description="What backgrounds are made of."
    )
    background_template: str = Field("a clean origami {}.", description="Template of the background texts.")

    @field_validator("background_template")
    @classmethod
    def _has_a_place(cls, template: str) -> str:
        if template.count("{}") != 1:
            raise ValueError("it must contain {} exactly once, for the words of cue.background")
        return template

    @field_validator("background")
    @classmethod
    def _are_words(cls, words: list[str]) -> list[str]:
        if not all(word.strip() for word in words):
            raise ValueError("one of the words is empty")
        return words

    @property
    def texts(self) -> list[str]:
        """The background texts."""
        return [self.background_template.replace("{}", word) for word in self.background]


class PatchOptions(TextOptions):
    """Options of comparing patches with texts."""

    path: LocalPath = Field(
        "qq",
        description="What replaces the attention of the last block: value (a patch's own value), qq, kk or vv (of "
        "patches with like queries, keys, values), qk (nothing: the model's own).",
    )
    whole_block: bool = Field(
        False, description="Also add what enters the last block, and its MLP, to the patches' features."
    )


@CUES.register("patches")
class PatchCue(MapCue):
    """Foreground is where a class text fits better than the texts of backgrounds.

    The background's names that are reported for an image are those that fit its background best when it was first
    looked at; later refreshes with other prompts leave them.
    """

    options_type = PatchOptions
    needs_model = True
    follows_prompts = True
    takes_common_things = True
    label = "comparing patches with texts"

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, PatchOptions)
        self.options = context.options
        self._stuff: dict[str, list[str]] = {}

    @torch.no_grad()
    def maps(self, items: Sequence[Item], photos: Sequence[Tensor], model: PromptedClip | None) -> Tensor:
        if model is None:
            raise DataError("The patches cue needs a model.")
        options, tower = self.options, require_taps(model.clip.image)
        classify = Classifier(model)
        pixels = whole_pixels(photos, model)
        last = min(options.layers, tower.layers) if options.refine == "affinity" else 1
        with tapped(tower, last) as taps:
            features = classify.features(pixels)
        with tower.adapted(classify.prompts):
            tokens = local_tokens(taps, options.path, whole_block=options.whole_block)
            attention = [patch_attention(block, normed) for block, normed in zip(taps.blocks, taps.normed, strict=True)]
        raw = read_tokens(tower, tokens)
        patches = model.finish_image(raw.flatten(0, 1), "patch").view_as(raw)
        backgrounds = model.encode_text(options.texts)
        logits = torch.cat(
            [patches @ class_texts(classify, features).transpose(-1, -2), patches @ backgrounds.t()], dim=-1
        )
        shares = (model.clip.logit_scale * require_finite(logits, "patch maps")).softmax(dim=-1)
        behind = shares[..., -len(options.texts) :]
        self._tell(items, behind)
        found = (1 - behind.sum(dim=-1)).view(-1, *tower.grid)
        return refined(found, photos, attention, options, options.refine or "colour")

    def _tell(self, items: Sequence[Item], behind: Tensor) -> None:
        """What the background of each image is, by the shares of background texts ``[B, patches, words]``."""
        best = behind.mean(dim=1).topk(min(STUFF, behind.shape[-1]), dim=1).indices.tolist()
        for item, places in zip(items, best, strict=True):
            self._stuff.setdefault(item.name, [self.options.background[at] for at in places])
            self.report.stuff[item.name] = self._stuff[item.name]


def whole_pixels(photos: Sequence[Tensor], model: PromptedClip) -> Tensor:
    """The photos, uint8 ``[3, H, W]``, squeezed to the model's input whatever their aspect: ``[B, 3, h, w]``."""
    clip = model.clip
    transform = whole_transform(clip.image.image_size, clip.preprocess)
    nothing = torch.zeros(1, 1, 1)
    return torch.stack([transform(photo, nothing.expand(1, *photo.shape[1:]))[0] for photo in photos]).to(clip.device)


def class_texts(classify: Classifier, features: Tensor) -> Tensor:
    """Texts ``[C, D]`` of the classes asked about, or ``[B, C, D]`` where each image has its own."""
    model = classify.model
    if not model.prompts.conditional:
        return model.encode_text()
    texts = model.texts_for(classify.prompts, features)
    columns = model.asked_columns(texts.shape[1])
    return texts if columns is None else texts[:, columns]


def refined(
    maps: Tensor, photos: Sequence[Tensor], attention: Sequence[Tensor], options: TextOptions, how: str
) -> Tensor:
    """Maps ``[B, h, w]`` of 0 or more after `how` of ``cue.refine``, in 0..1.

    Args:
        attention: between patches, of each block that takes part, ``[B, patches, patches]``.
    """
    if how == "colour":
        return spread_by_colour(maps, torch.stack([cell_colours(photo) for photo in photos]), COLOUR_SPREAD)
    if how == "affinity":
        maps = spread_by_attention(maps, torch.stack(list(attention)).mean(dim=0))
        return scaled(maps.flatten(1)[..., None])[..., 0].view_as(maps)
    return maps
