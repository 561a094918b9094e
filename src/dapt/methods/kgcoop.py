"""KgCoOp (Yao et al. 2023, CVPR, arXiv 2303.13283): CoOp that stays near the hand-written texts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from dapt.methods.base import CROSS_ENTROPY, Method, TrainingDefaults, add_method, add_variant
from dapt.methods.coop import CoopOptions
from dapt.methods.search import Range
from dapt.methods.templates import KGCOOP, PHOTO, check_template, named_in
from dapt.strict import Rate


class KgCoopOptions(CoopOptions):
    """Options of KgCoOp."""

    ctx_init: str | None = Field("a photo of a", description="Words the context starts from; none: random.")
    knowledge_template: Annotated[str, named_in(KGCOOP), AfterValidator(check_template)] = Field(
        PHOTO,
        description="Hand-written text of a class, with {} for its name; 'oxford_pets' etc. name the published ones.",
    )
    knowledge_weight: Rate = Field(8.0, ge=0, description="Weight lambda of the knowledge term.")


_PAPER = "Yao et al., Visual-Language Prompt Tuning with Knowledge-guided Context Optimization, CVPR 2023"

_KGCOOP = add_method(
    Method(
        name="kgcoop",
        title="KgCoOp",
        summary="4 context vectors, class texts held near the hand-written ones",
        paper=_PAPER,
        architecture="dapt.prompts.context:ContextPrompts",
        objectives=(CROSS_ENTROPY, "dapt.objectives.kgcoop:KnowledgeGuided"),
        options=KgCoopOptions,
        search={"prompt.knowledge_weight": Range(1.0, 16.0, log=True)},
        training=TrainingDefaults(lr=0.002, epochs=100, batch_size=128, source="KgCoOp repository, base-to-novel"),
        formula="CE(s f w^T, y) + 8 (1 - mean_c cos(w_c, w0_c)), w0 the frozen hand-written class texts",
        differences=("The released modules that are never trained (bias vectors, meta-net, adapter) are left out.",),
    )
)
add_variant(
    _KGCOOP,
    "few_shot",
    "KgCoOp with the batch size its author advises for few images",
    training=TrainingDefaults(lr=0.002, epochs=100, batch_size=32, source="KgCoOp repository, issue 4 (author)"),
)
