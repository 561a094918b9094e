"""``dapt.words=auto`` (ours): the background words are chosen for the training images, before anything is trained.

First come the names that the cue gives the backgrounds, the most frequent first. What is missing is filled up from
`SCENE_WORDS`: those to which the untuned model gives most probability, on average over the background views of the
training images. Words that are, or are part of, a list of names of a class of the data are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.dapt_options import DaptOptions
from dapt.data.items import Item
from dapt.errors import ConfigError
from dapt.evenly import evenly
from dapt.model.views import ViewMaking
from dapt.runs.background_labels import plain_name
from dapt.runs.scene_words import SCENE_WORDS
from dapt.runs.untuned_views import background_logits

MOST_IMAGES = 5000  # are looked at to choose words from the list
_BETWEEN = re.compile(r"[,;/()]|\b(?:or|and)\b")


@dataclass(frozen=True)
class ChosenWords:
    """Background words for some data.

    Attributes:
        words: those of the cue first. from_cue: so many are the cue's. looked_at: so many images the others were chosen
            by. candidates: how many words these were chosen from.
    """

    words: list[str]
    from_cue: int
    looked_at: int
    candidates: int

    def summary(self) -> str:
        """One line for people."""
        parts = []
        if self.from_cue:
            parts.append(f"{self.from_cue} are the cue's own")
        if len(self.words) > self.from_cue:
            parts.append(
                f"{len(self.words) - self.from_cue} of {self.candidates} fit {self.looked_at} training images best"
            )
        return f"dapt.words=auto: {len(self.words)} background words ({', '.join(parts)}): {', '.join(self.words)}"


def choose_words(
    options: DaptOptions,
    clip: FrozenClip,
    items: Sequence[Item],
    masks: Sequence[Tensor | None],
    stuff: dict[str, list[str]],
    classes: Iterable[str],
    load_image: Callable[[Item], Tensor],
    *,
    soft: bool = False,
    batch_size: int = 100,
) -> ChosenWords:
    """The words for the backgrounds of `items`.

    Args:
        stuff: `CueReport.stuff`. classes: names of all classes of the data, held-back ones too.
        the others: see `background_logits`. Images without a mask are looked at whole, if none has a mask.

    Raises:
        ConfigError: more words are asked for than there are.
    """
    taken = names_of_classes(classes)
    count = options.auto_count
    told = Counter(name for item in items for name in dict.fromkeys(map(plain_name, stuff.get(item.name, ()))))
    frequent = sorted(
        (name for name in told if name and not is_taken(name, taken)), key=lambda name: (-told[name], name)
    )
    words = frequent[:count]
    rest = [word for word in SCENE_WORDS if word not in words and not is_taken(word, taken)]
    missing = count - len(words)
    if missing > len(rest):
        raise ConfigError(
            f"dapt.words=auto was asked for {count} words, and there are {len(words) + len(rest)} to choose from.",
            todo="Use a smaller dapt.word_count, or give dapt.words as a list.",
        )
    shown = [position for position, mask in enumerate(masks) if mask is not None] or list(range(len(items)))
    shown = evenly(shown, MOST_IMAGES)
    if missing:
        logits = background_logits(
            clip,
            [items[position] for position in shown],
            [masks[position] for position in shown],
            options.texts_of(rest),
            load_image,
            soft=soft,
            making=ViewMaking.of(options),
            batch_size=batch_size,
        )
        mean = logits.softmax(dim=1).double().mean(dim=0)
        order = torch.sort(mean, descending=True, stable=True).indices[:missing].tolist()
        words = [*words, *(rest[number] for number in order)]
    return ChosenWords(words, len(words) - missing, len(shown), len(rest))


def names_of_classes(classes: Iterable[str]) -> set[str]:
    """What no background word may be: the class names, and the parts of names such as "sea or lake"."""
    found: set[str] = set()
    for name in classes:
        plain = name.replace("_", " ")
        found |= {plain_name(part) for part in (plain, *_BETWEEN.split(plain))}
    return found - {""}


def is_taken(word: str, taken: set[str]) -> bool:
    """Whether a word is one of `taken`, in the singular or in the plural."""
    return bool({word, f"{word}s", f"{word}es", word.removesuffix("s"), word.removesuffix("es")} & taken)
