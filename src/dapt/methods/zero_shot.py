"""Zero-shot CLIP (Radford et al. 2021, arXiv 2103.00020): hand-written templates, nothing trained."""

from __future__ import annotations

from pydantic import Field, field_validator

from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method

PHOTO = "a photo of a {}."

# The seven templates OpenAI's notebook selects as enough for ImageNet; CoOp's second zero-shot baseline.
SELECTED_7 = (
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
)


class TemplateOptions(MethodOptions):
    """Hand-written class texts."""

    templates: list[str] = Field(
        default=[PHOTO],
        description="Templates with {} for the class name; features of several are averaged. "
        "'selected7' and 'imagenet80' name published lists.",
    )

    @field_validator("templates", mode="before")
    @classmethod
    def _expand(cls, value: object) -> object:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list):
            return given
        templates: list[object] = []
        for entry in given:
            if entry == "selected7":
                templates += SELECTED_7
            elif entry == "imagenet80":
                from open_clip import OPENAI_IMAGENET_TEMPLATES  # lambdas taking a class name

                templates += [make("{}") for make in OPENAI_IMAGENET_TEMPLATES]
            else:
                templates.append(entry)
        return templates

    @field_validator("templates")
    @classmethod
    def _check(cls, value: list[str]) -> list[str]:
        if not value:
            raise ValueError("at least one template is needed")
        for template in value:
            if template.count("{}") != 1:
                raise ValueError(f"template '{template}' must contain {{}} exactly once")
        return value


_PAPER = "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021"

add_method(
    Method(
        name="zero_shot",
        summary="hand-written class texts, nothing trained",
        paper=_PAPER,
        architecture="dapt.prompts.untrained:UntrainedPrompts",
        options=TemplateOptions,
        training=TrainingDefaults(epochs=0, source="nothing is trained"),
        trains=False,
    )
)
add_method(
    Method(
        name="zero_shot.ensemble",
        summary="seven selected templates and 'a photo of a {}.', features averaged",
        paper=_PAPER,
        architecture="dapt.prompts.untrained:UntrainedPrompts",
        options=TemplateOptions,
        training=TrainingDefaults(epochs=0, source="nothing is trained"),
        trains=False,
        preset={"templates": ["selected7", PHOTO]},
    )
)
