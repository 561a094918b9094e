"""Hand-written templates of the field, by name.

Per data set: CoOp's zero-shot templates (used alike by MaPLe, PromptSRC, PromptKD and DAPT), and where KgCoOp and
ProGrad use others, theirs. Lists for ensembles: OpenAI's 80 for ImageNet, the 7 of them its authors select, and the 60
with which PromptSRC makes its texts diverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from dapt.strict import shown

PHOTO = "a photo of a {}."

# By the names of the data catalog.
ZERO_SHOT: dict[str, str] = {
    "oxford_pets": "a photo of a {}, a type of pet.",
    "oxford_flowers": "a photo of a {}, a type of flower.",
    "fgvc_aircraft": "a photo of a {}, a type of aircraft.",
    "dtd": "{} texture.",
    "eurosat": "a centered satellite photo of {}.",
    "food101": "a photo of {}, a type of food.",
    "ucf101": "a photo of a person doing {}.",
    **dict.fromkeys(
        (
            *("stanford_cars", "sun397", "caltech101", "imagenet"),
            *("imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r"),
        ),
        PHOTO,
    ),
}
KGCOOP: dict[str, str] = {**ZERO_SHOT, "dtd": "a photo of a {}, a type of texture."}
PROGRAD: dict[str, str] = {
    **ZERO_SHOT,
    "oxford_pets": "a type of pet, a photo of a {}.",
    "oxford_flowers": "a type of flower, a photo of a {}.",
    "fgvc_aircraft": "a type of aircraft, a photo of a {}.",
    "food101": "a type of food, a photo of {}.",
    "dtd": "a texture of {}.",
}

# The seven that OpenAI's notebook selects as enough for ImageNet; CoOp's second zero-shot baseline.
SELECTED_7 = (
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
)


def imagenet80() -> list[str]:
    """OpenAI's 80 templates for ImageNet, as open_clip has them."""
    from open_clip import OPENAI_IMAGENET_TEMPLATES  # functions that take a class name

    return [make("{}") for make in OPENAI_IMAGENET_TEMPLATES]


def promptsrc60() -> list[str]:
    """PromptSRC's 60: the plain one first, then the first 59 others of the 80."""
    return [PHOTO, *[template for template in imagenet80() if template != PHOTO][:59]]


LISTS: dict[object, Callable[[], list[str]]] = {
    "selected7": lambda: list(SELECTED_7),
    "imagenet80": imagenet80,
    "promptsrc60": promptsrc60,
}


def check_template(template: str) -> str:
    """`template`, if it has one place for the class name."""
    if template.count("{}") != 1:
        raise ValueError(f"template {shown(template)} must contain {{}} exactly once")
    return template


def named_in(known: Mapping[str, str]) -> BeforeValidator:
    """Lets the name of a data set stand for its template in `known`."""
    return BeforeValidator(lambda value: known.get(value, value) if isinstance(value, str) else value)


def _expand(given: object) -> object:
    """A list of templates in which names of lists and of data sets are replaced by their entries."""
    entries = [given] if isinstance(given, str) else given
    if not isinstance(entries, list):
        return entries
    templates: list[object] = []
    for entry in entries:
        if not isinstance(entry, str):
            return entries  # pydantic says what is wrong with it
        templates += LISTS[entry]() if entry in LISTS else [ZERO_SHOT.get(entry, entry)]
    return templates


def _check(templates: list[str]) -> list[str]:
    if not templates:
        raise ValueError("at least one template is needed")
    return [check_template(template) for template in templates]


TemplateList = Annotated[list[str], BeforeValidator(_expand), AfterValidator(_check)]
