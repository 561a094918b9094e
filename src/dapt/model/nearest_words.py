"""What learned text vectors come near to: words of the model's vocabulary.

As in CoOp (Zhou et al. 2022, arXiv 2109.01134, table 4): the words nearest to each context vector by Euclidean distance
in the space of token embeddings, into which the vectors are written. Vectors of deeper layers live in other spaces,
where there are no words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.model.prompted_clip import PromptedClip

SAMPLE = 256  # words by which the usual distance between neighbours is known
ROWS = 256  # vectors that are compared with the vocabulary at once
SPARE = 64  # so many more are looked at, since some pieces are controls or parts of letters
UNREADABLE = "\ufffd"


@dataclass(frozen=True)
class NearWord:
    """A word piece of the vocabulary, and how far a vector is from it."""

    word: str
    distance: float


@dataclass(frozen=True)
class NearestWords:
    """The words nearest to the learned text vectors of a model.

    Attributes:
        missing: why there are none, a sentence; empty where there are.
        vectors: of each vector the nearest words, the nearest first; by the class they belong to, ``""`` for all.
        typical: the median distance of a word to the word nearest to it, for comparison.
        notes: sentences on what is not shown.
    """

    missing: str = ""
    vectors: dict[str, tuple[tuple[NearWord, ...], ...]] | None = None
    typical: float = 0.0
    notes: tuple[str, ...] = ()


@torch.no_grad()
def nearest_words(model: PromptedClip, count: int = 5, classes: Sequence[str] = ()) -> NearestWords:
    """The words nearest to the context vectors of a model.

    Args:
        count: so many words for each vector. classes: whose vectors, where every class has its own.
    """
    prompts = model.prompts.at_rest()
    context = prompts.text_ctx
    method = model.made_with.method or "This method"
    if context is None or not context.numel():
        return NearestWords(missing=f"{method} has no text vectors, so there are no words near them.")
    notes = []
    if model.prompts.conditional:
        notes.append("Every image shifts these vectors; the words are those of the vectors before that.")
    if prompts.text_deep:
        layers = len(prompts.text_deep)
        notes.append(f"The vectors of {layers} deeper text layers live in spaces without words and are not compared.")
    own = {"": context}
    if prompts.class_specific:
        names = model.prompts.names
        wanted = [name for name in dict.fromkeys(classes) if name in names]
        notes.append(f"Every class has vectors of its own; those of {len(wanted)} of {len(names)} classes are shown.")
        own = {name: context[names.index(name)] for name in wanted}
    ids, table = _vocabulary(model.clip)
    found = {name: _nearest(model.clip, vectors.float().cpu(), ids, table, count) for name, vectors in own.items()}
    return NearestWords(vectors=found, typical=_typical(table), notes=tuple(notes))


def _vocabulary(clip: FrozenClip) -> tuple[list[int], Tensor]:
    """The ids of all words, and their embeddings ``[words, width]``."""
    ids = [number for number in clip.tokenizer.vocabulary() if number < clip.text.words]
    return ids, clip.text.embed_words(torch.tensor(ids, dtype=torch.long)).cpu()


def _nearest(
    clip: FrozenClip, vectors: Tensor, ids: Sequence[int], table: Tensor, count: int
) -> tuple[tuple[NearWord, ...], ...]:
    """Of each of the vectors ``[n, width]`` the nearest of the words."""
    found: list[tuple[NearWord, ...]] = []
    for start in range(0, len(vectors), ROWS):
        part = vectors[start : start + ROWS]
        near = _distances(part, table).topk(min(count + SPARE, len(ids)), dim=1, largest=False)
        for places, distances in zip(near.indices.tolist(), near.values.tolist(), strict=True):
            words = (clip.tokenizer.word(ids[place]) for place in places)
            pairs = zip(words, distances, strict=True)
            readable = [NearWord(word, distance) for word, distance in pairs if _is_readable(word)]
            found.append(tuple(readable[:count]))
    return tuple(found)


def _is_readable(word: str) -> bool:
    return bool(word) and word.isprintable() and UNREADABLE not in word


def _distances(vectors: Tensor, table: Tensor) -> Tensor:
    """Euclidean distances ``[n, words]``; by differences, since those of near neighbours are small."""
    return torch.cdist(vectors, table, compute_mode="donot_use_mm_for_euclid_dist")


def _typical(table: Tensor) -> float:
    """The median distance of some evenly chosen words to their nearest neighbours."""
    if len(table) < 2:
        return 0.0
    rows = torch.linspace(0, len(table) - 1, min(SAMPLE, len(table))).long()
    near = torch.cdist(table[rows], table).topk(2, dim=1, largest=False).values[:, 1]
    return float(near.median())
