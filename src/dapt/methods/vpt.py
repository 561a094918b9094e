"""VPT (Jia et al. 2022, ECCV, arXiv 2203.12119) as used beside CLIP by MaPLe: visual prompts, fixed texts."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, TrainingDefaults, add_method
from dapt.methods.search import choice
from dapt.methods.zero_shot import TemplateOptions


class VptOptions(TemplateOptions):
    """Options of VPT."""

    n_ctx: int = Field(8, ge=1, description="Number of visual prompt tokens.")
    depth: int = Field(12, ge=1, description="Layers with fresh prompts; 1 is the shallow variant.")


_PAPER = "Jia et al., Visual Prompt Tuning, ECCV 2022; beside CLIP as in the MaPLe code"
_TRAINING = TrainingDefaults(lr=0.0025, epochs=5, batch_size=4, source="MaPLe repository, base-to-novel")

add_method(
    Method(
        name="vpt",
        title="VPT",
        summary="visual prompts at every layer, fixed texts",
        paper=_PAPER,
        architecture="dapt.prompts.visual:VisualPrompts",
        options=VptOptions,
        search={"prompt.n_ctx": choice(4, 8, 16), "prompt.depth": choice(3, 6, 9, 12)},
        training=_TRAINING,
    )
)
add_method(
    Method(
        name="vpt.shallow",
        title="VPT shallow",
        summary="visual prompts at the input only, fixed texts",
        paper=_PAPER,
        architecture="dapt.prompts.visual:VisualPrompts",
        options=VptOptions,
        training=_TRAINING,
        preset={"depth": 1},
    )
)
