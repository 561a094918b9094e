"""Which image lends its background to which: decided by a seed and the names of images alone.

The order in which images are listed changes no choice, nor do the machine, the resolution and the models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dapt.evaluation.audit.variants import MIXED, NEXT, OTHER, RAND, SAME

NONE = -1


@dataclass(frozen=True)
class Donors:
    """Backgrounds for every image.

    Attributes:
        of: by variant, the place of each image's donor ``[N]``, `NONE` where there is none; `OTHER` only where there
            are images of other data.
        bare: labels of classes with images none of which can lend its background.
        alone: labels of classes with images that are asked about, for which no other image of the class lends one.
    """

    of: dict[str, np.ndarray]
    bare: tuple[int, ...]
    alone: tuple[int, ...]

    def to(self, variant: str, place: int) -> int:
        """The place of an image's donor; `NONE` where it has none."""
        return int(self.of[variant][place]) if variant in self.of else NONE


def drawn(seed: int, text: str, number: int) -> int:
    """A number below `number`, decided by a seed and a text."""
    digest = hashlib.blake2b(f"{seed}|{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % number


def choose_donors(
    names: Sequence[str], labels: Sequence[int], lends: Sequence[bool], seed: int, asked: int | None = None
) -> Donors:
    """A donor of the same class, of a random class, and of the next class, for every image; none is its own donor.

    The random class is any of those that have donors, an image's own among them. The next class is the next one, in the
    order of the classes and around, that has images; mixtures with other classes are not made where there is one class
    only.

    Args:
        names: of the images. labels: their classes. lends: whether an image has a background to lend.
        asked: so many images, the first, are asked about, and the others only lend; None: all are.
    """
    number = len(names) if asked is None else asked
    order = sorted(range(len(names)), key=lambda place: names[place])
    present = sorted(set(labels))
    pool = {label: [place for place in order if labels[place] == label and lends[place]] for label in present}
    with_donors = [label for label in present if pool[label]]
    of = {variant: np.full(len(names), NONE, dtype=np.int64) for variant in MIXED}
    for place, (name, label) in enumerate(zip(names, labels, strict=True)):
        of[SAME][place] = _one(pool[label], place, seed, f"{SAME}|{name}")
        if len(present) == 1:
            continue
        following = present[(present.index(label) + 1) % len(present)]
        of[NEXT][place] = _one(pool[following], place, seed, f"{NEXT}|{name}")
        if with_donors:
            other = with_donors[drawn(seed, f"class|{name}", len(with_donors))]
            of[RAND][place] = _one(pool[other], place, seed, f"{RAND}|{name}")
    lone = {label for place, label in enumerate(labels[:number]) if of[SAME][place] == NONE}
    return Donors(of, tuple(label for label in present if not pool[label]), tuple(sorted(lone)))


def with_strangers(donors: Donors, names: Sequence[str], strangers: int, seed: int) -> Donors:
    """The donors, with one of other data for each image; these lie behind all others.

    Args:
        names: of the images of the data itself. strangers: how many images of other data there are, at least one.
    """
    first = len(names)
    of = {
        variant: np.concatenate([found, np.full(strangers, NONE, dtype=np.int64)])
        for variant, found in donors.of.items()
    }
    of[OTHER] = np.full(first + strangers, NONE, dtype=np.int64)
    of[OTHER][:first] = [first + drawn(seed, f"{OTHER}|{name}", strangers) for name in names]
    return replace(donors, of=of)


def _one(pool: Sequence[int], own: int, seed: int, text: str) -> int:
    """One of a pool, not an image itself."""
    others = [place for place in pool if place != own]
    return others[drawn(seed, text, len(others))] if others else NONE
