"""MaPLe (Khattak et al. 2023, CVPR, arXiv 2210.03117): visual prompts as linear maps of text prompts."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method, add_variant
from dapt.methods.search import choice


class MapleOptions(MethodOptions):
    """Options of MaPLe."""

    n_ctx: int = Field(2, ge=1, description="Number of prompt tokens in each tower.")
    depth: int = Field(9, ge=1, description="Layers with fresh prompts in each tower.")
    ctx_init: str | None = Field(
        "a photo of a", description="Words the text prompt starts from, used when n_ctx is at most 4."
    )


_PAPER = "Khattak et al., MaPLe: Multi-modal Prompt Learning, CVPR 2023"

_MAPLE = add_method(
    Method(
        name="maple",
        title="MaPLe",
        summary="coupled prompts: text prompts and their linear maps in the image tower",
        paper=_PAPER,
        architecture="dapt.prompts.coupled:CoupledPrompts",
        options=MapleOptions,
        search={"prompt.n_ctx": choice(2, 4), "prompt.depth": choice(3, 6, 9)},
        training=TrainingDefaults(lr=0.0035, epochs=5, batch_size=4, source="MaPLe repository, base-to-novel"),
        formula="CE(s f w^T, y) with visual prompts g_i(P_i), g_i linear, of the text prompts P_i",
        differences=("Widths come from the model, prompts stay float32.",),
    )
)
add_variant(
    _MAPLE,
    "cross",
    "MaPLe as trained for other data sets: 3 layers, 2 epochs",
    training=TrainingDefaults(lr=0.0026, epochs=2, batch_size=4, source="MaPLe repository, cross-dataset"),
    preset={"depth": 3},
)
add_variant(
    _MAPLE,
    "few_shot",
    "MaPLe as DAPT trains it for few shots: 10 epochs",
    training=TrainingDefaults(lr=0.0035, epochs=10, batch_size=4, source="DAPT repository, few-shot (with best_val)"),
)
add_variant(
    _MAPLE,
    "dapt_base",
    "MaPLe as DAPT trains it for base-to-novel: batches of one image",
    training=TrainingDefaults(
        lr=0.0035, epochs=5, batch_size=1, source="DAPT repository, base-to-novel (with best_val)"
    ),
)
add_variant(
    _MAPLE,
    "dapt_cross",
    "MaPLe as DAPT trains it for other data sets: 9 layers, 2 epochs",
    training=TrainingDefaults(lr=0.0026, epochs=2, batch_size=4, source="DAPT repository, cross-dataset"),
)
