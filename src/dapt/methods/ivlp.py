"""IVLP: independent prompts in both towers (baseline of MaPLe, arXiv 2210.03117, and of PromptSRC)."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method
from dapt.methods.search import choice


class IvlpOptions(MethodOptions):
    """Options of IVLP."""

    n_ctx: int = Field(2, ge=1, description="Number of text prompt tokens.")
    n_ctx_vision: int | None = Field(None, ge=1, description="Number of visual tokens; none: as n_ctx.")
    depth: int = Field(12, ge=1, description="Text layers with fresh prompts.")
    depth_vision: int | None = Field(
        None, ge=0, description="Image layers with fresh prompts; 0: no visual prompts; none: as depth."
    )
    ctx_init: str | None = Field(
        "a photo of a", description="Words the text prompt starts from, used when n_ctx is at most 4."
    )


_PAPER = "Khattak et al., MaPLe: Multi-modal Prompt Learning, CVPR 2023 (independent prompting baseline)"

add_method(
    Method(
        name="ivlp",
        title="IVLP",
        summary="independent text and visual prompts, 2 + 2 tokens",
        paper=_PAPER,
        architecture="dapt.prompts.independent:IndependentPrompts",
        options=IvlpOptions,
        search={"prompt.n_ctx": choice(2, 4), "prompt.depth": choice(3, 6, 9, 12)},
        training=TrainingDefaults(lr=0.0035, epochs=5, batch_size=4, source="MaPLe repository, base-to-novel"),
    )
)
add_method(
    Method(
        name="ivlp.deep4",
        title="IVLP deep 4",
        summary="independent prompts, 4 + 4 tokens in 9 layers (the backbone of PromptSRC)",
        paper="Khattak et al., Self-regulating Prompts, ICCV 2023 (baseline)",
        architecture="dapt.prompts.independent:IndependentPrompts",
        options=IvlpOptions,
        training=TrainingDefaults(lr=0.0025, epochs=20, batch_size=4, source="PromptSRC repository"),
        preset={"n_ctx": 4, "depth": 9},
    )
)
add_method(
    Method(
        name="language_deep",
        title="Deep text prompts",
        summary="deep text prompts only, 4 tokens in 12 layers",
        paper=_PAPER,
        architecture="dapt.prompts.independent:IndependentPrompts",
        options=IvlpOptions,
        training=TrainingDefaults(lr=0.0025, epochs=5, batch_size=4, source="MaPLe repository, base-to-novel"),
        preset={"n_ctx": 4, "depth_vision": 0},
    )
)
