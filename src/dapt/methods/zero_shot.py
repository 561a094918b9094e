"""Zero-shot CLIP (Radford et al. 2021, arXiv 2103.00020): hand-written templates, nothing trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

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


def check_template(template: str) -> str:
    """`template`, if it has one place for the class name."""
    if template.count("{}") != 1:
        raise ValueError(f"template '{template}' must contain {{}} exactly once")
    return template


def _expand(given: object) -> object:
    """A list of templates in which the names of published lists are replaced by their entries."""
    entries = [given] if isinstance(given, str) else given
    if not isinstance(entries, list):
        return entries
    templates: list[object] = []
    for entry in entries:
        templates += PUBLISHED[entry]() if entry in PUBLISHED else [entry]
    return templates


def _check(templates: list[str]) -> list[str]:
    if not templates:
        raise ValueError("at least one template is needed")
    return [check_template(template) for template in templates]


def _imagenet80() -> list[str]:
    from open_clip import OPENAI_IMAGENET_TEMPLATES  # functions that take a class name

    return [make("{}") for make in OPENAI_IMAGENET_TEMPLATES]


def _promptsrc60() -> list[str]:
    return [PHOTO, *[template for template in _imagenet80() if template != PHOTO][:59]]


PUBLISHED: dict[object, Callable[[], list[str]]] = {
    "selected7": lambda: list(SELECTED_7),
    "imagenet80": _imagenet80,
    "promptsrc60": _promptsrc60,
}
TemplateList = Annotated[list[str], BeforeValidator(_expand), AfterValidator(_check)]


class TemplateOptions(MethodOptions):
    """Hand-written class texts."""

    templates: TemplateList = Field(
        default=[PHOTO],
        description="Templates with {} for the class name; features of several are averaged. "
        "'selected7', 'imagenet80' and 'promptsrc60' name published lists.",
    )


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
        formula="argmax_c f . w_c",
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
        formula="argmax_c f . w_c",
        preset={"templates": ["selected7", PHOTO]},
    )
)
