"""``dapt.background_label=cue``: what L_b aims at in each image is settled before training.

Published, L_b aims at the nearest background text of the very feature it trains, which may drift. Ours: what the cue
says the background is (`CueReport.stuff`), else the nearest background text of the background view by the untuned
model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.dapt_options import DaptOptions
from dapt.data.items import Item
from dapt.model.views import ViewMaking
from dapt.runs.untuned_views import background_logits, text_features

NEAREST = -1  # no label: the nearest text of the feature being trained
_EMPTY_WORDS = frozenset(("merged", "other", "stuff", "things"))  # in the names of COCO's panoptic categories
_PARTS = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class BackgroundLabels:
    """The background text of each training image.

    Attributes:
        labels: ``[N]`` long, numbers of background texts, -1 where there is none.
        from_cue, from_view: how many were told by the cue, and how many by the untuned model.
    """

    labels: Tensor
    from_cue: int
    from_view: int

    @property
    def without(self) -> int:
        """Images that have none."""
        return len(self.labels) - self.from_cue - self.from_view

    def summary(self) -> str:
        """One line for people."""
        kinds = int(torch.unique(self.labels[self.labels != NEAREST]).numel())
        text = (
            f"background labels of {len(self.labels)} images: {self.from_cue} by the cue, {self.from_view} by the "
            f"untuned model, {kinds} different"
        )
        have = "has" if self.without == 1 else "have"
        return text + (f"; {self.without} {have} no cue, so the nearest text is theirs" if self.without else "")

    def counts(self) -> dict[str, int]:
        """For results.json."""
        return {
            "background_from_cue": self.from_cue,
            "background_from_view": self.from_view,
            "background_nearest": self.without,
        }


def background_labels(
    options: DaptOptions,
    clip: FrozenClip,
    items: Sequence[Item],
    masks: Sequence[Tensor | None],
    stuff: dict[str, list[str]],
    load_image: Callable[[Item], Tensor],
    *,
    soft: bool = False,
    batch_size: int = 100,
) -> BackgroundLabels:
    """The labels of all images.

    Args:
        masks: those that training starts with. stuff: `CueReport.stuff`. the others: see `background_logits`.

    Raises:
        DaptError: see `background_logits`.
    """
    words = options.used_words[options.distractors :]
    texts = options.texts_of(words)
    labels = torch.full((len(items),), NEAREST, dtype=torch.long)
    told = {
        position: name
        for position, item in enumerate(items)
        if (name := next((plain for given in stuff.get(item.name, ()) if (plain := plain_name(given))), None))
    }
    numbers = _numbers(sorted(set(told.values())), words, options, clip)
    for position, name in told.items():
        labels[position] = numbers[name]
    left = [position for position, mask in enumerate(masks) if mask is not None and position not in told]
    if left:
        logits = background_logits(
            clip,
            [items[position] for position in left],
            [masks[position] for position in left],
            texts,
            load_image,
            soft=soft,
            making=ViewMaking.of(options),
            batch_size=batch_size,
        )
        labels[left] = logits.argmax(dim=1)
    return BackgroundLabels(labels, len(told), len(left))


def _numbers(names: Sequence[str], words: Sequence[str], options: DaptOptions, clip: FrozenClip) -> dict[str, int]:
    """Which background word each name is: the one of the same name, else the one whose text is most similar."""
    same = {plain_name(word): number for number, word in reversed(list(enumerate(words)))}
    found = {name: same[name] for name in names if name in same}
    others = [name for name in names if name not in same]
    if others:
        theirs = text_features(clip, options.texts_of(others))
        nearest = (theirs @ text_features(clip, options.texts_of(list(words))).t()).argmax(dim=1)
        found |= dict(zip(others, nearest.tolist(), strict=True))
    return found


def plain_name(name: str) -> str:
    """The name of a category in plain words: ``tree-merged`` is ``tree``, ``earth, ground`` is ``earth``."""
    first = name.split(",")[0].split(";")[0]
    return " ".join(part for part in _PARTS.split(first.casefold()) if part and part not in _EMPTY_WORDS)
