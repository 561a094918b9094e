"""CLIP-LoRA (Zanella & Ben Ayed 2024, CVPRW, arXiv 2405.18541): low-rank updates of the attention of both towers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from dapt.methods.base import Method, TrainingDefaults, add_method, add_variant
from dapt.methods.search import Range, choice
from dapt.methods.zero_shot import TemplateOptions
from dapt.strict import Rate


class ClipLoraOptions(TemplateOptions):
    """Options of CLIP-LoRA."""

    encoder: Literal["both", "text", "vision"] = Field("both", description="Adapted towers: both, text or vision.")
    projections: list[Literal["q", "k", "v", "o"]] = Field(
        default=["q", "k", "v"],
        min_length=1,
        description="Adapted matrices of every attention layer: queries q, keys k, values v, output o.",
    )
    last_layers: int | None = Field(None, ge=1, description="Adapt only so many layers at the end; none: all.")
    rank: int = Field(2, ge=1, description="Rank r of the updates.")
    alpha: Rate = Field(1.0, gt=0, description="The updates are scaled by alpha / sqrt(r).")
    dropout: float = Field(
        0.25, ge=0, lt=1, description="Probability with which an input channel of an update is dropped in a step."
    )

    @field_validator("projections")
    @classmethod
    def _once(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("each projection is named once")
        return value


_CLIP_LORA = add_method(
    Method(
        name="clip_lora",
        title="CLIP-LoRA",
        summary="low-rank updates of queries, keys and values in all layers of both towers",
        paper="Zanella & Ben Ayed, Low-Rank Few-Shot Adaptation of Vision-Language Models, CVPRW 2024",
        architecture="dapt.prompts.low_rank:LowRankAdapters",
        options=ClipLoraOptions,
        search={"prompt.rank": choice(2, 4, 8), "prompt.dropout": Range(0.0, 0.5)},
        training=TrainingDefaults(
            lr=2e-4,
            epochs=160,
            batch_size=32,
            optimizer="adamw",
            weight_decay=1e-2,
            warmup_epochs=0,
            source="CLIP-LoRA repository, few-shot; epochs as there for 100 classes",
        ),
        formula="CE(s f w^T, y), attention weights W + alpha / sqrt(r) B A with A of r rows and B of r columns",
        differences=(
            "The length is 160 epochs. Released: 500 iterations per shot, which at batch 32 are 16000 / C "
            "epochs for C classes: 160 for 100 classes; set --epochs for another number.",
            "The learning rate falls once per epoch and towards 0, not per iteration and to 1e-6.",
            "Dropout leaves out input channels of an update for all tokens of a step alike, not for each token "
            "on its own, because updates are added to the weights.",
            "In bf16 and 16 the updated weight is rounded to that type; updates below its resolution are lost.",
            "DAPT on top of it is our derivation: its terms are added to the sum.",
        ),
    )
)
add_variant(
    _CLIP_LORA,
    "vision",
    "CLIP-LoRA in the image tower only, fixed texts",
    preset={"encoder": "vision"},
)
add_variant(
    _CLIP_LORA,
    "text",
    "CLIP-LoRA in the text tower only",
    preset={"encoder": "text"},
)
