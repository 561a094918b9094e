"""PromptKD (Li et al. 2024, CVPR, arXiv 2403.02781): a student with visual prompts learns from a prompted teacher."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method, add_variant
from dapt.methods.search import Range
from dapt.strict import Names, Rate


class PromptKdOptions(MethodOptions):
    """Options of PromptKD."""

    teacher: Annotated[str | None, Names.SAVED_MODEL] = Field(
        None, description="The teacher: a finished run folder, or the prompts.safetensors of one."
    )
    teacher_model: Annotated[str | None, Names.BACKBONE] = Field(
        None, description="Backbone of the teacher; none: the one its prompts name. Its weights must be the same."
    )
    teacher_dim: int | None = Field(
        None, ge=1, le=8192, description="Size of the teacher's features; none: read from it."
    )
    n_ctx: int = Field(4, ge=1, description="Number of visual prompt tokens of the student.")
    depth: int = Field(9, ge=1, description="Image layers with fresh prompts.")
    temperature: Rate = Field(1.0, gt=0, description="Temperature T of the distillation.")
    kd_weight: Rate = Field(1000.0, ge=0, description="Weight of the distillation term.")


_PAPER = "Li et al., PromptKD: Unsupervised Prompt Distillation for Vision-Language Models, CVPR 2024"

_PROMPTKD = add_method(
    Method(
        name="promptkd",
        title="PromptKD",
        summary="visual prompts and a projector that learn from a teacher, without labels",
        paper=_PAPER,
        architecture="dapt.prompts.student:StudentPrompts",
        objectives=("dapt.objectives.promptkd:Distillation",),
        options=PromptKdOptions,
        search={"prompt.kd_weight": Range(100.0, 2000.0, log=True), "prompt.temperature": Range(0.5, 2.0)},
        training=TrainingDefaults(lr=0.005, epochs=20, batch_size=8, source=f"PromptKD repository, {'base-to-novel'}"),
        label_free=True,
        counted_with={"teacher_dim": 768},
        formula="1000 T^2 / (B C) sum KL(p_teacher || p_student), student features projected to the teacher's size",
        differences=(
            "The default trains on the training images of the classes in use and keeps the last epoch. The "
            "published protocol (images of all classes, epoch chosen on test images) is --set transductive=true "
            "--set model_selection=best_test --shots 0, and results.json names it.",
            "The teacher's class texts are computed once.",
            "DAPT on top of it is our derivation: L_v on the projected features, L_b against the teacher's "
            "features of the background texts, L_f (with dapt.foreground_gradient) against its soft labels.",
        ),
    )
)
add_variant(
    _PROMPTKD,
    "fine",
    "PromptKD with the weight used for Aircraft, Flowers102 and DTD",
    preset={"kd_weight": 200.0},
)
add_variant(
    _PROMPTKD,
    "cross",
    "PromptKD for other data sets: 3 layers",
    training=TrainingDefaults(lr=0.005, epochs=20, batch_size=8, source=f"PromptKD repository, {'cross-dataset'}"),
    preset={"depth": 3},
)
