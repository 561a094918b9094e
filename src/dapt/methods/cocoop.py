"""CoCoOp (Zhou et al. 2022, CVPR, arXiv 2203.05557): a context that depends on the image."""

from __future__ import annotations

from pydantic import Field, model_validator

from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method
from dapt.methods.coop import words_as_context


class CocoopOptions(MethodOptions):
    """Options of CoCoOp."""

    n_ctx: int = Field(4, ge=1, description="Number of context vectors (with ctx_init: its words).")
    ctx_init: str | None = Field("a photo of a", description="Words the context starts from; none: random.")
    reduction: int = Field(16, ge=1, description="The hidden layer of the meta-net has D / reduction units.")

    @model_validator(mode="after")
    def _words(self) -> CocoopOptions:
        if self.ctx_init:
            self.n_ctx = words_as_context(self.ctx_init, self.n_ctx if "n_ctx" in self.model_fields_set else None)
        return self


add_method(
    Method(
        name="cocoop",
        title="CoCoOp",
        summary="4 context vectors, shifted for each image by a small network",
        paper="Zhou et al., Conditional Prompt Learning for Vision-Language Models, CVPR 2022",
        architecture="dapt.prompts.conditional:ConditionalPrompts",
        options=CocoopOptions,
        training=TrainingDefaults(lr=0.002, epochs=10, batch_size=1, source="CoCoOp repository, base-to-novel"),
        formula="CE(s f w(x)^T, y) with context ctx_m + meta_net(f(x)) for every image x",
        differences=(
            "Any batch size works: the class texts of an image share their prefix, and beyond text_memory_mb they are "
            "recomputed in backward.",
        ),
    )
)
