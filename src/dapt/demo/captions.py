"""Words and sentences of the rendered scenes: what the bundled CLIP is taught to read."""

from __future__ import annotations

from numpy.random import Generator

from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.look import PALETTE
from dapt.demo.drawing.objects import class_names
from dapt.demo.drawing.scenes import Scene

# Other words for the same background, most of them background words of the released DAPT code.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "grass": ("grass", "land", "meadow"),
    "sky": ("sky", "cloud", "clouds"),
    "water": ("water", "lake", "river", "sea", "ocean"),
    "sand": ("sand", "ground", "beach"),
    "road": ("road", "street"),
    "wall": ("wall", "building", "bricks"),
    "rock": ("rock", "mountain", "valley", "stone"),
    "snow": ("snow", "ice"),
}

OBJECT_TEMPLATES = (
    "a photo of a {}.",
    "a photo of the {}.",
    "a picture of a {}.",
    "itap of a {}.",
    "a bad photo of the {}.",
    "a good photo of a {}.",
    "a small {}.",
    "a large {}.",
    "art of the {}.",
    "a {}.",
    "{}",
)
BACKGROUND_TEMPLATES = (
    "a photo of {}.",
    "a photo of a {}.",
    "a picture of the {}.",
    "a clean origami {}.",
    "a clean {}.",
    "{} in the background.",
    "{}",
)
BOTH_TEMPLATES = (
    "a photo of a {object} on {background}.",
    "a {object} in front of the {background}.",
    "a {object} and {background}.",
    "{background} with a {object}.",
    "a picture of {background} and a {object}.",
    "a photo of the {object} with {background} in the background.",
)


def caption(scene: Scene, rng: Generator) -> str:
    """One sentence about a scene: its object, its background, or both; the colour is named now and then.

    As with captions people write, not every sentence mentions everything that is seen.
    """
    words = SYNONYMS[scene.background]
    background = words[0] if rng.random() < 0.6 else str(rng.choice(words))
    if scene.name is None:
        return str(rng.choice(BACKGROUND_TEMPLATES)).format(background)
    thing = f"{scene.colour} {scene.name}" if rng.random() < 0.3 else scene.name
    kind = rng.random()
    if kind < 0.40:
        return str(rng.choice(OBJECT_TEMPLATES)).format(thing)
    if kind < 0.88:
        return str(rng.choice(BOTH_TEMPLATES)).format(object=thing, background=background)
    return str(rng.choice(BACKGROUND_TEMPLATES)).format(background)


def vocabulary() -> list[str]:
    """Every word that a caption can hold, sorted; the tokenizer is trained on them."""
    sentences = [*OBJECT_TEMPLATES, *BACKGROUND_TEMPLATES, *BOTH_TEMPLATES]
    words = {word for text in sentences for word in text.lower().replace(".", " ").split() if "{" not in word}
    words |= {word for names in SYNONYMS.values() for word in names}
    return sorted(words | set(class_names()) | set(PALETTE) | set(BACKGROUNDS))
