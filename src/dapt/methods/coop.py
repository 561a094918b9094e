"""CoOp (Zhou et al. 2022, IJCV, arXiv 2109.01134): learned context vectors in the class texts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method, add_variant
from dapt.methods.search import choice


class CoopOptions(MethodOptions):
    """Options of CoOp."""

    n_ctx: int = Field(16, ge=1, description="Number of context vectors (with ctx_init: its words).")
    ctx_init: str | None = Field(None, description="Words the context starts from; none: random.")
    position: Literal["end", "middle", "front"] = Field("end", description="Where the class name stands.")
    class_specific: bool = Field(False, description="One context per class instead of one for all.")

    @model_validator(mode="after")
    def _words(self) -> CoopOptions:
        if self.ctx_init:
            if self.class_specific:
                raise ValueError("class_specific contexts start from random vectors; set prompt.ctx_init=null")
            self.n_ctx = words_as_context(self.ctx_init, self.n_ctx if "n_ctx" in self.model_fields_set else None)
        return self


def words_as_context(words: str, n_ctx: int | None) -> int:
    """The number of context vectors that start from `words`, which an explicit `n_ctx` must equal."""
    count = len(words.replace("_", " ").split())
    if not count:
        raise ValueError("ctx_init holds no words; leave it out, or set it to null for random vectors")
    if n_ctx not in (None, count):
        raise ValueError(
            f"n_ctx is {n_ctx}, but the context starts from the {count} words '{words}'; leave n_ctx out, or set "
            "prompt.ctx_init=null for random vectors"
        )
    return count


_PAPER = "Zhou et al., Learning to Prompt for Vision-Language Models, IJCV 2022"
_FEW_SHOT = TrainingDefaults(
    lr=0.002,
    epochs=200,
    batch_size=32,
    epochs_by_shots={1: 50, 4: 100, 16: 200},
    source="CoOp few-shot configuration, last epoch",
)

_COOP = add_method(
    Method(
        name="coop",
        title="CoOp",
        summary="16 learned context vectors shared by all classes",
        paper=_PAPER,
        architecture="dapt.prompts.context:ContextPrompts",
        options=CoopOptions,
        search={"prompt.n_ctx": choice(4, 8, 16)},
        training=_FEW_SHOT,
    )
)
add_variant(
    _COOP,
    "csc",
    "16 learned context vectors for each class",
    preset={"class_specific": True},
)
add_variant(
    _COOP,
    "words",
    "4 context vectors that start from 'a photo of a'",
    training=TrainingDefaults(lr=0.002, epochs=200, batch_size=32, source="CoCoOp repository, base-to-novel"),
    preset={"ctx_init": "a photo of a"},
)
add_variant(
    _COOP,
    "cross",
    "CoOp as trained for other data sets, and on ImageNet: 4 context vectors from words, 50 epochs",
    training=TrainingDefaults(
        lr=0.002, epochs=50, batch_size=32, source="CoCoOp repository, cross-dataset and ImageNet"
    ),
    preset={"ctx_init": "a photo of a"},
)
