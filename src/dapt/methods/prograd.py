"""ProGrad (Zhu et al. 2023, ICCV, arXiv 2205.14865): CoOp whose gradient never contradicts zero-shot CLIP."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from dapt.methods.base import CROSS_ENTROPY, Method, TrainingDefaults, add_method, add_variant
from dapt.methods.coop import CoopOptions
from dapt.methods.search import Range
from dapt.methods.templates import PHOTO, PROGRAD, check_template, named_in
from dapt.strict import Rate


class ProGradOptions(CoopOptions):
    """Options of ProGrad."""

    knowledge_template: Annotated[str, named_in(PROGRAD), AfterValidator(check_template)] = Field(
        PHOTO,
        description="Zero-shot text of a class, with {} for its name; 'oxford_pets' etc. name the published ones.",
    )
    temperature: Rate = Field(1.0, gt=0, description="Temperature T of the zero-shot cross-entropy.")
    strength: Rate = Field(1.0, ge=0, description="lambda: share of the contradicting part that is taken away.")
    ctx_from_template: bool = Field(
        False,
        description="Start the last context vectors from the words of knowledge_template before the name, "
        "the others from zero.",
    )

    @model_validator(mode="after")
    def _start(self) -> ProGradOptions:
        if self.ctx_from_template and (self.ctx_init or self.class_specific):
            raise ValueError("ctx_from_template goes with neither ctx_init nor class_specific")
        return self


_PAPER = "Zhu et al., Prompt-aligned Gradient for Prompt Tuning, ICCV 2023"

_PROGRAD = add_method(
    Method(
        name="prograd",
        title="ProGrad",
        summary="16 context vectors, gradients cleared of what contradicts zero-shot CLIP",
        paper=_PAPER,
        architecture="dapt.prompts.context:ProGradPrompts",
        objectives=(CROSS_ENTROPY, "dapt.objectives.prograd:ZeroShotKnowledge"),
        options=ProGradOptions,
        search={"prompt.strength": Range(0.1, 1.0), "prompt.temperature": Range(0.5, 2.0)},
        training=TrainingDefaults(
            lr=0.002,
            epochs=200,
            batch_size=32,
            epochs_by_shots={1: 50, 4: 100, 16: 200},
            source="ProGrad repository, few-shot",
        ),
        formula="g = grad CE; where g . grad L_kl < 0 its part along grad L_kl is taken away; "
        "L_kl = T^2 CE(q, zero-shot p)",
        differences=(
            "A gradient of L_kl that is exactly zero changes nothing (the released code divides by its length).",
            "ctx_from_template counts word pieces, so a comma in the template is one of them.",
            "With DAPT its terms are added to CE before the rule is applied (ours).",
        ),
    )
)
add_variant(
    _PROGRAD,
    "gentle",
    "ProGrad with lambda 0.8, as for 8 and 16 shots on Flowers102, DTD and EuroSAT",
    training=TrainingDefaults(lr=0.002, epochs=200, batch_size=32, source="ProGrad repository, few-shot"),
    preset={"strength": 0.8},
)
add_variant(
    _PROGRAD,
    "base",
    "ProGrad as trained for base-to-novel: 100 epochs (published with 4 shots)",
    training=TrainingDefaults(lr=0.002, epochs=100, batch_size=32, source="ProGrad repository, base-to-novel"),
)
