"""The options of the DAPT objective, a section of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from dapt.dapt_variants import PRESETS, SCHEDULES, Schedule, Variant, with_preset
from dapt.errors import ConfigError
from dapt.strict import Rate, Strict

# Background words of the released DAPT code: 25 general words and 7 for food scenes.
BACKGROUND_WORDS: tuple[str, ...] = tuple(
    (
        "ground land grass tree building wall sky lake water river sea railway railroad keyboard helmet cloud "
        "house mountain ocean road rock street valley bridge sign "
        "table forks tablecloth hands spoon glasses dishes"
    ).split()
)

Fill = Literal["mean", "blur", "noise", "inpaint", "exchange"]
RELEASED_SLICE = 25  # so many text rows the released code takes for background, of 32
DEFAULT_VARIANT: Variant = "swap"
AUTO = "auto"
AUTO_COUNT = 25  # as many as the general words of the released code


class DaptOptions(Strict):
    """The DAPT objective (arXiv 2508.00395).

    The fields' own defaults are those of the released code unless said; a variant, also the default one, sets others.
    """

    enabled: bool = Field(False, description="Add the DAPT terms to the method.")
    variant: Variant = Field(
        DEFAULT_VARIANT,
        description="swap (ours, chosen by the study in docs/evidence.md): symmetric, foregrounds on the backgrounds "
        "of other images, terms warmed up over 30% of the epochs; symmetric (ours): joint, L_f at weight 1 with its "
        "gradient on both sides; joint: all terms throughout (the paper's figure); ramp (ours): from L_v to L_f and "
        "L_b, epoch by epoch; phased: L_v until the switch, then L_f and L_b (released schedule); released: phased "
        "with the raw weight of L_v, as published.",
    )
    visual_weight: Rate = Field(0.8, ge=0, description="Weight of the pull-push term L_v.")
    visual_scale: Literal["logit", "raw"] = Field(
        "logit",
        description="logit (ours): the weight of L_v is meant for CLIP's logit scale of 100 and multiplied by the "
        "model's own / 100, because the gradients of all other terms grow with the scale; raw: as it is.",
    )
    foreground_weight: Rate = Field(0.1, ge=0, description="Weight of the foreground term L_f.")
    background_weight: Rate = Field(0.5, ge=0, description="Weight of the background term L_b.")
    margin: Rate = Field(1.5, ge=0, description="Margin of the triplet in L_v.")
    margin_kind: Literal["absolute", "relative"] = Field(
        "absolute",
        description="absolute: the distance to the foreground is to be smaller by the margin than that to the "
        "background (as published); relative (ours): smaller by that share of it, so that the margin is at most 1.",
    )
    visual_space: Literal["features", "classes"] = Field(
        "features",
        description="Where L_v measures distances: between features (as published), or (ours) between how their "
        "similarities to the class texts differ, at unit length, so that only what tells classes apart counts.",
    )
    switch: float = Field(0.7, ge=0, le=1, description="phased: fraction of the epochs before the switch.")
    words: Annotated[list[str], Field(min_length=1)] | Literal["auto"] = Field(
        default=list(BACKGROUND_WORDS),
        description="Background words; auto (ours): chosen for the training images, see docs/dapt.md.",
    )
    word_count: int | None = Field(
        None, ge=1, description=f"Use only the first so many words; none: all, of dapt.words=auto {AUTO_COUNT}."
    )
    chosen_words: list[str] | None = Field(
        None, min_length=1, description="What dapt.words=auto chose: a run writes it into its run.yaml."
    )
    template: str = Field("a clean origami {}.", description="Template of the background texts.")
    background_label: Literal["nearest", "cue"] = Field(
        "nearest",
        description="What L_b aims at. nearest: the nearest background text of the feature being trained (as "
        "published); cue (ours): what the cue says the background is, else the nearest text of the untuned model.",
    )
    min_area: float = Field(
        0.0, ge=0, le=1, description="Ours: images whose foreground is a smaller share skip the terms."
    )
    max_area: float = Field(
        1.0, ge=0, le=1, description="Ours: images whose foreground is a greater share skip the terms."
    )
    trust: Literal["none", "score"] = Field(
        "none",
        description="score (ours): weigh the terms of each image by the cue's own confidence in its mask, the mean "
        "weight being 1.",
    )
    views: Literal["pixels", "attention"] = Field(
        "pixels",
        description="pixels: exact, foreground and background are two more passes over the image with hidden pixels "
        "set to the mean colour (as published); attention: approximate and much cheaper, one pass in which two more "
        "class tokens see the patches of one side only.",
    )

    fill: Fill = Field(
        "mean",
        description="What hidden pixels become: the mean colour (as published); ours: the blurred image, noise, "
        "inpaint (filled in smoothly from what is seen), exchange (behind a foreground the background of another image "
        "of the batch, inpaint in the background view).",
    )
    soften: float = Field(
        0.0, ge=0, le=0.5, description="Ours: blur the outline of masks over this share of the image's side."
    )
    dilate: float = Field(
        0.0,
        ge=-0.5,
        le=0.5,
        description="Ours: let masks grow by this share of the image's side to all sides, or shrink.",
    )
    crops: Literal["any", "both"] = Field(
        "any",
        description="both (ours): random crops are drawn again, at most ten times, until they show foreground and "
        "background.",
    )
    background_temperature: Rate = Field(
        1.0, gt=0, description="Ours: the logits of L_b are divided by this number, which softens it."
    )
    warmup: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Ours: the weights of all terms grow from zero over this share of the epochs, if that is more than "
        "one.",
    )
    balance: Literal["none", "gradient"] = Field(
        "none",
        description="gradient (ours): the gradient of each term is scaled to its weight times the size of that of the "
        "host's own loss.",
    )
    conflict: Literal["ignore", "project"] = Field(
        "ignore",
        description="project (ours, after ProGrad): what of the gradient of DAPT's terms contradicts that of the "
        "host's own loss is taken away.",
    )
    foreground_gradient: bool = Field(
        False,
        description="Ours: let L_f teach the image side too. The published term stops the gradient at the foreground "
        "feature, so it says nothing to methods that train the image side only.",
    )
    gate: bool = Field(
        False,
        description="Experimental, ours after FVG-PT: weigh L_f and L_v of each image by how far its foreground view "
        "can be trusted.",
    )
    diagnose: bool = Field(
        False,
        description="Write into metrics.jsonl what the terms do in every tenth step: distances of the views, right "
        "answers by the foreground alone, angles and sizes of gradients. Nothing else changes; it costs a fifth.",
    )
    released: bool = Field(
        False,
        description="For comparison only: repeat the released code, in which the first words (all but 25) act as "
        "further classes in training and at test.",
    )

    @property
    def schedule(self) -> Schedule:
        """When which terms act."""
        return SCHEDULES[self.variant]

    @property
    def apart(self) -> bool:
        """Whether the gradients of the terms are needed one by one."""
        return self.balance != "none" or self.conflict != "ignore"

    @property
    def chooses_words(self) -> bool:
        """Whether the background words have yet to be chosen for the data."""
        return self.words == AUTO and self.chosen_words is None

    @property
    def used_words(self) -> list[str]:
        """The background words in use.

        Raises:
            ConfigError: they have yet to be chosen.
        """
        if isinstance(self.words, list):
            return self.words[: self.word_count]
        if self.chosen_words is None:
            raise ConfigError(
                "dapt.words=auto chooses words for the training images of a run; here there are none.",
                todo="Give a list: dapt.words=[grass, sky].",
            )
        return self.chosen_words

    @property
    def auto_count(self) -> int:
        """How many words ``words=auto`` chooses."""
        return self.word_count or AUTO_COUNT

    @property
    def texts(self) -> list[str]:
        """The hand-written background texts."""
        return self.texts_of(self.used_words)

    def texts_of(self, words: list[str]) -> list[str]:
        """The background texts of `words`."""
        return [self.template.replace("{}", word) for word in words]

    @property
    def distractors(self) -> int:
        """How many background words act as further classes: none, unless the released code is repeated."""
        return max(0, len(self.used_words) - RELEASED_SLICE) if self.released else 0

    @property
    def guards(self) -> bool:
        """Whether masks of some areas are left out."""
        return self.min_area > 0 or self.max_area < 1

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, value: Any) -> Any:
        return with_preset(value, DEFAULT_VARIANT) if isinstance(value, Mapping) else value

    @field_validator("words", "chosen_words")
    @classmethod
    def _no_blank(cls, value: Any) -> Any:
        if isinstance(value, list) and not all(word.strip() for word in value):
            raise ValueError("a word is empty")
        return value

    @field_validator("words", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if isinstance(value, str) and value != AUTO:
            raise ValueError("it is a list of words, as in [grass, sky], or auto")
        return value

    @model_validator(mode="after")
    def _template(self) -> DaptOptions:
        if self.template.count("{}") != 1:
            raise ValueError("dapt.template must contain {} exactly once")
        if self.words != AUTO and self.word_count and self.word_count > len(self.words):
            raise ValueError(f"dapt.word_count is {self.word_count}, but there are {len(self.words)} words")
        if self.gate and self.views == "attention":
            raise ValueError("dapt.gate needs dapt.views=pixels")
        return self

    @model_validator(mode="after")
    def _ours(self) -> DaptOptions:
        if self.words == AUTO and self.released:
            raise ValueError("dapt.released repeats the released code, whose words are a list, not auto")
        if self.words != AUTO and self.chosen_words is not None:
            raise ValueError("dapt.chosen_words belongs to dapt.words=auto")
        if self.gate and self.apart:
            raise ValueError(
                "dapt.gate trains a network beside the prompts: dapt.balance and dapt.conflict are without it"
            )
        if self.margin_kind == "relative" and self.margin > 1:
            raise ValueError(
                "dapt.margin_kind=relative takes dapt.margin for a share, at most 1, and it is "
                f"{self.margin:g}: add one such as dapt.margin=0.5"
            )
        if self.views == "attention":
            for name, usual in (("fill", "mean"), ("soften", 0.0), ("dilate", 0.0)):
                if getattr(self, name) != usual:
                    raise ValueError(f"dapt.{name} needs dapt.views=pixels: views by attention hide no pixels")
        if self.min_area >= self.max_area:
            raise ValueError(f"dapt.min_area is {self.min_area:g}, dapt.max_area {self.max_area:g}: no mask is between")
        return self


def without_variant(tree: dict[str, Any], variant: str) -> None:
    """Take out of DAPT's options, as in a run.yaml, what the variant they name has set, if it is not `variant`.

    What a variant sets and another value was given for is the user's, and stays.
    """
    old = tree.get("variant")
    if not isinstance(old, str) or old == variant:
        return
    for key in {key for preset in PRESETS.values() for key in preset}:
        if key in tree and tree[key] == PRESETS.get(old, {}).get(key, DaptOptions.model_fields[key].default):
            del tree[key]
