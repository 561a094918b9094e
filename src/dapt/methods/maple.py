"""MaPLe (Khattak et al. 2023, CVPR, arXiv 2210.03117): visual prompts as linear maps of text prompts."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method


class MapleOptions(MethodOptions):
    """Options of MaPLe."""

    n_ctx: int = Field(2, ge=1, description="Number of prompt tokens in each tower.")
    depth: int = Field(9, ge=1, description="Layers with fresh prompts in each tower.")
    ctx_init: str | None = Field(
        "a photo of a", description="Words the text prompt starts from, used when n_ctx is at most 4."
    )


_PAPER = "Khattak et al., MaPLe: Multi-modal Prompt Learning, CVPR 2023"

add_method(
    Method(
        name="maple",
        summary="coupled prompts: text prompts and their linear maps in the image tower",
        paper=_PAPER,
        architecture="dapt.prompts.coupled:CoupledPrompts",
        options=MapleOptions,
        training=TrainingDefaults(lr=0.0035, epochs=5, batch_size=4, source="MaPLe repository, base-to-novel"),
    )
)
add_method(
    Method(
        name="maple.cross",
        summary="MaPLe as trained for other data sets: 3 layers, 2 epochs",
        paper=_PAPER,
        architecture="dapt.prompts.coupled:CoupledPrompts",
        options=MapleOptions,
        training=TrainingDefaults(lr=0.0026, epochs=2, batch_size=4, source="MaPLe repository, cross-dataset"),
        preset={"depth": 3},
    )
)
