"""Where the objects are in the images of an audit, and whose background each is put on; what is left out is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dapt.clip.frozen import FrozenClip
from dapt.console import warn
from dapt.data.check.finding import count
from dapt.data.items import Item
from dapt.data.labelled import LabelledImages
from dapt.errors import DataError
from dapt.evaluation.audit.cutouts import LOST, Cutout, Cutouts, find_objects
from dapt.evaluation.audit.donors import NONE, Donors, choose_donors, with_strangers
from dapt.runs.audit_backgrounds import Strangers, find_strangers
from dapt.runs.audit_cue import about_masks, audit_cue, zero_shot_model
from dapt.runs.audit_images import Question, Source

WHY = {
    "missing": "without a mask",
    "empty": "with an empty mask",
    "full": "with a mask of the whole picture",
    "bad": "with a mask that cannot be read or has another shape",
    LOST: "with an object that is too small, or too large, to be seen at the model's size",
}


@dataclass(frozen=True)
class Material:
    """Images with their objects and donors; the first are asked about, the others only lend backgrounds.

    Attributes:
        items, labels, names: the images, those of other data, of no class (`NONE`), last. asked: how many of them, the
            first, are asked about. cutouts: the object of each. donors: backgrounds for each. masks: where these come
            from, for the record and for people.
        left_out: names of images without a usable mask, by reason. lend_none: how many images were only to lend, and
            cannot as they have none. strangers: the images of other data.
    """

    items: tuple[Item, ...]
    labels: tuple[int, ...]
    names: tuple[str, ...]
    asked: int
    cutouts: tuple[Cutout, ...]
    donors: Donors
    masks: dict[str, Any]
    left_out: Mapping[str, list[str]]
    lend_none: int = 0
    strangers: Strangers = field(default_factory=Strangers)

    @property
    def own(self) -> tuple[Cutout, ...]:
        """The objects in the images of the data itself: those asked about, and those that only lend."""
        return self.cutouts[: len(self.cutouts) - len(self.strangers.items)]

    @property
    def judged(self) -> range:
        """The places of the images that are asked about."""
        return range(self.asked)

    def class_of(self, place: int) -> str:
        """The name of an image's class; empty of those of other data."""
        return "" if self.labels[place] == NONE else self.names[self.labels[place]]

    @property
    def shares(self) -> np.ndarray:
        """The part ``[asked]`` of its photograph that each object takes, 0..1."""
        return np.array([each.share for each in self.cutouts[: self.asked]])


def find_material(question: Question, source: Source, clip: FrozenClip | None, shorter: int) -> Material:
    """The objects in the images, and a donor of every kind for each; says what is left out.

    Args:
        clip: for cues that need a model: it is asked zero-shot. shorter: pixels of the shorter side of composites.

    Raises:
        DataError: there are no masks, or none can be used.
    """
    cue = audit_cue(question, source.data)
    part, lenders = source.part, source.lenders
    every, numbers = (*part.items, *lenders.items), (*part.labels, *lenders.labels)
    if question.masks is not None:  # a folder that was named goes before the data's own masks
        every = tuple(replace(item, mask=None) for item in every)
    model = None
    if cue.needs_model or cue.follows_prompts:
        model = zero_shot_model(question, clip, part.names)
    about = about_masks(cue, question)
    if about["guessed"]:
        warn(f"The masks are guesses ({about['words']}): all figures are as good as these are.")
    cutouts = find_objects(cue, every, model, shorter)
    asked = sum(place < len(part.items) for place in cutouts.kept)
    left_out, lend_none = _left_out(cutouts, lenders)
    for reason, names in left_out.items():
        warn(f"{count(len(names), 'image')} {WHY[reason]} left out (for example {names[0]}).")
    if lend_none:
        warn(f"{count(lend_none, 'image')} without a mask of use cannot lend a background.")
    if not asked:
        reasons = ", ".join(f"{len(names)} {WHY[reason]}" for reason, names in left_out.items())
        raise DataError(
            f"None of the {count(len(part.items), 'image')} of {source.data.name} has a mask of use: {reasons}.",
            todo="Name other masks with --masks DIR, or let --cue find the objects.",
        )
    items = tuple(every[place] for place in cutouts.kept)
    own = [item.name for item in items]
    labels = tuple(numbers[place] for place in cutouts.kept)
    lends = [each.lends for each in cutouts.found]
    donors = choose_donors(own, labels, lends, question.seed, asked)
    _say_donors(donors, part.names, labels, lends[:asked])
    strangers = find_strangers(question, source.lent, shorter, source.lent_own)
    if strangers.items:
        donors = with_strangers(donors, own, len(strangers.items), question.seed)
    return Material(
        (*items, *strangers.items),
        (*labels, *[NONE] * len(strangers.items)),
        part.names,
        asked,
        (*cutouts.found, *strangers.cutouts),
        donors,
        about,
        left_out,
        lend_none,
        strangers,
    )


def _left_out(cutouts: Cutouts, lenders: LabelledImages) -> tuple[dict[str, list[str]], int]:
    """Names of the images to be asked about that have no mask of use, by reason; and how many lenders have none."""
    others = {item.name for item in lenders.items}
    found = {why: [name for name in names if name not in others] for why, names in cutouts.left_out.items()}
    number = sum(map(len, cutouts.left_out.values())) - sum(map(len, found.values()))
    return {why: names for why, names in found.items() if names}, number


def _say_donors(donors: Donors, names: Sequence[str], labels: Sequence[int], lends: Sequence[bool]) -> None:
    """Tell which images and classes have no background of a kind; `lends`: those that are asked about."""
    close = lends.count(False)
    if close:
        warn(
            f"{close} of {count(len(lends), 'object')} fill their pictures so far that too little is left to "
            "be tiled: there the background is filled in, and these images lend none."
        )
    if donors.bare:
        warn(
            f"{count(len(donors.bare), 'class has', 'classes have')} no image with a background to lend "
            f"(for example '{names[donors.bare[0]]}')."
        )
    if donors.alone:
        warn(
            f"{count(len(donors.alone), 'class has', 'classes have')} images without another of their class to take a "
            f"background from, which are not in mixed_same (for example '{names[donors.alone[0]]}')."
        )
    if len(names) == 1:
        warn("There is one class to choose from, so every answer is right: name more classes with --classes.")
    if len(set(labels)) == 1:
        warn("All images are of one class: backgrounds of other classes (mixed_rand, mixed_next) cannot be had.")
