"""Zero-shot CLIP (Radford et al. 2021, arXiv 2103.00020): hand-written templates, nothing trained."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method
from dapt.methods.templates import PHOTO, TemplateList


class TemplateOptions(MethodOptions):
    """Hand-written class texts."""

    templates: TemplateList = Field(
        default=[PHOTO],
        description="Templates with {} for the class name; features of several are averaged. "
        "'selected7', 'imagenet80' and 'promptsrc60' name published lists, 'oxford_pets' and so on the data sets' own.",
    )


_PAPER = "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021"

add_method(
    Method(
        name="zero_shot",
        title="Zero-shot CLIP",
        summary="hand-written class texts, nothing trained",
        paper=_PAPER,
        architecture="dapt.prompts.untrained:UntrainedPrompts",
        options=TemplateOptions,
        training=TrainingDefaults(epochs=0, source="nothing is trained"),
        trains=False,
        formula="argmax_c f . w_c",
    )
)
add_method(
    Method(
        name="zero_shot.ensemble",
        title="Zero-shot CLIP ensemble",
        summary="seven selected templates and 'a photo of a {}.', features averaged",
        paper=_PAPER,
        architecture="dapt.prompts.untrained:UntrainedPrompts",
        options=TemplateOptions,
        training=TrainingDefaults(epochs=0, source="nothing is trained"),
        trains=False,
        formula="argmax_c f . w_c",
        preset={"templates": ["selected7", PHOTO]},
    )
)
