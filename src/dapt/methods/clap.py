"""CLAP (Silva-Rodriguez et al. 2024, CVPR, arXiv 2312.12730): trained class features that stay near zero-shot ones."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import CROSS_ENTROPY, Method, TrainingDefaults, add_method, add_variant
from dapt.methods.zero_shot import TemplateOptions


class ClapOptions(TemplateOptions):
    """Options of CLAP."""

    constraint: bool = Field(True, description="Hold the class features near the zero-shot ones.")


_PAPER = "Silva-Rodriguez et al., A Closer Look at the Few-Shot Adaptation of Large Vision-Language Models, CVPR 2024"
_LOOP = (
    "Every step reads new random views of the images; the released code draws its batches, always of 256, from the "
    "features of 20 random views of each image, computed beforehand."
)

_CLAP = add_method(
    Method(
        name="clap",
        title="CLAP",
        summary="class features trained from the zero-shot ones and held near them, no validation images needed",
        paper=_PAPER,
        architecture="dapt.prompts.prototypes:PrototypePrompts",
        objectives=(CROSS_ENTROPY, "dapt.objectives.clap:NearZeroShot"),
        options=ClapOptions,
        training=TrainingDefaults(
            lr=0.1, epochs=300, batch_size=256, weight_decay=0.0, source="CLAP repository, all data sets"
        ),
        formula="CE(s f unit(P)^T, y) + mean_c lambda_c |P_c - T_c|^2, T the zero-shot class features, lambda_c the "
        "mean zero-shot probability of c on its training images",
        differences=(_LOOP, "lambda reads the test view of each training image (released: 20 random views)."),
    )
)
add_variant(
    _CLAP,
    "plain",
    "ZS-LP: class features trained from the zero-shot ones, without CLAP's constraint",
    preset={"constraint": False},
    formula="CE(s f unit(P)^T, y), P starting from the zero-shot class features",
    differences=(_LOOP,),
)
