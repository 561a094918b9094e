"""Which images train, validate and test, decided by the content of each, so that other images do not matter.

What decides is a number between 0 and 1 made from an image's content. A rule that looks at nothing else moves no image
when others come or go; it cannot keep the shares exact, as every set of images that happen to get one side is a
possible class. Exact shares need memory: the sides of an earlier run, which stay, and new images that fill up what is
short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

TRAIN, VAL, TEST = "train", "val", "test"
SHARES = {TRAIN: 0.5, TEST: 0.3, VAL: 0.2}  # in the order in which equal needs are met
Shown = Mapping[str, frozenset[str]]  # the classes of each content


@dataclass(frozen=True)
class Known:
    """Sides of an earlier run.

    Attributes:
        sides: by content. deal: others fill up what is short of the shares; else their own content decides.
    """

    sides: Mapping[str, str]
    deal: bool = True


@dataclass(frozen=True)
class Sides:
    """What was decided.

    Attributes:
        of: the side of each content. moved: contents that got another side than their own number gives, because a class
            was too small; dealt: contents that filled up what was short.
    """

    of: dict[str, str]
    moved: tuple[str, ...] = ()
    dealt: tuple[str, ...] = ()


def number_of(content: str) -> float:
    """A number in 0..1 that every content has for itself."""
    return (
        int.from_bytes(hashlib.sha256(f"side {content}".encode("utf-8", "surrogatepass")).digest()[:7], "big") / 2**56
    )


def own_side(content: str) -> str:
    """The side that a content has by itself."""
    number = number_of(content)
    if number < SHARES[TEST]:
        return TEST
    return VAL if number < SHARES[TEST] + SHARES[VAL] else TRAIN


def decide(shown: Shown, known: Known | None = None) -> Sides:
    """The side of every content; the order in which they are given does not matter.

    Every class gets a training image, and, if it has two contents, a test image: if it has none by their numbers, the
    content whose number is closest takes that side. Only those may change sides when others come or go. Known sides
    stay, but for a class that would be left without a training image where others are dealt.

    Args:
        shown: the classes of each content, of unlabelled ones none. known: None: there is no earlier run.
    """
    before = {content: side for content, side in (known.sides if known else {}).items() if content in shown}
    members = _members(shown)
    of = dict(before)
    dealt: list[str] = []
    if known is not None and known.deal:
        for contents in members.values():
            dealt += _deal(contents, of)
    of |= {content: own_side(content) for content in shown if content not in of}
    movable = set(shown) - set(before)
    moved = _with_training(members, of, set(shown) if known is not None and known.deal else movable)
    moved += _with_test(members, shown, of, movable)
    return Sides(of, tuple(sorted(set(moved))), tuple(sorted(dealt)))


def _members(shown: Shown) -> dict[str, list[str]]:
    """The contents of every class, in the order of their numbers; classes by name."""
    found: dict[str, list[str]] = {}
    for content in sorted(shown, key=lambda each: (number_of(each), each)):
        for name in shown[content]:
            found.setdefault(name, []).append(content)
    return dict(sorted(found.items()))


def _deal(contents: list[str], of: dict[str, str]) -> list[str]:
    """Give each new content of a class the side that is furthest below its share of the class."""
    counts = {side: sum(of.get(content) == side for content in contents) for side in SHARES}
    new = [content for content in contents if content not in of]
    for content in new:
        side = max(SHARES, key=lambda each: SHARES[each] * len(contents) - counts[each])
        of[content] = side
        counts[side] += 1
    return new


def _with_training(members: Mapping[str, list[str]], of: dict[str, str], movable: set[str]) -> list[str]:
    """Let every class have a training image, if one may be moved; returns those that were."""
    moved = []
    for contents in members.values():
        free = [content for content in contents if content in movable]
        if free and not any(of[content] == TRAIN for content in contents):
            of[free[-1]] = TRAIN
            moved.append(free[-1])
    return moved


def _with_test(members: Mapping[str, list[str]], shown: Shown, of: dict[str, str], movable: set[str]) -> list[str]:
    """Let every class of two and more have a test image, if one can be spared; returns those that were moved."""
    moved = []
    for contents in members.values():
        if any(of[content] == TEST for content in contents):
            continue
        spare = (each for each in contents if each in movable and _can_spare(each, members, shown, of))
        if content := next(spare, None):
            of[content] = TEST
            moved.append(content)
    return moved


def _can_spare(content: str, members: Mapping[str, list[str]], shown: Shown, of: Mapping[str, str]) -> bool:
    """Whether each class of a content has another one for training."""
    return all(any(of[each] == TRAIN and each != content for each in members[name]) for name in shown[content])
