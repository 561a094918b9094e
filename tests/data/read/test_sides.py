"""Sides decided by content: others do not matter, every class has what it needs, and earlier sides stay."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapt.data.read.sides import SHARES, Known, decide, number_of, own_side

CLASSES = ("cat", "dog", "owl")
PHOTOS = st.dictionaries(st.text("0123456789abcdef", min_size=4, max_size=6), st.sampled_from(CLASSES), max_size=60)


def shown(photos: dict[str, str]) -> dict[str, frozenset[str]]:
    return {content: frozenset({name}) for content, name in photos.items()}


def many(name: str, number: int) -> dict[str, str]:
    return {f"{name} {index}": name for index in range(number)}


@given(PHOTOS, PHOTOS)
def test_other_photos_move_none_but_those_of_small_classes(photos: dict[str, str], more: dict[str, str]) -> None:
    before, after = decide(shown(photos)), decide(shown({**more, **photos}))
    for content in photos:
        if before.of[content] != after.of[content]:
            assert content in {*before.moved, *after.moved}
    assert all(before.of[content] == own_side(content) for content in set(photos) - set(before.moved))


@given(PHOTOS, st.randoms())
def test_the_order_does_not_matter(photos: dict[str, str], chance: object) -> None:
    mixed = list(photos.items())
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert decide(shown(dict(mixed))).of == decide(shown(photos)).of


@given(PHOTOS)
def test_every_class_is_trained_on_and_tested_on_from_two_photos_on(photos: dict[str, str]) -> None:
    of = decide(shown(photos)).of
    for name in set(photos.values()):
        sides = Counter(of[content] for content, each in photos.items() if each == name)
        assert sides["train"]
        assert sides["test"] or sides.total() == 1


@given(st.lists(PHOTOS, min_size=2, max_size=5), st.integers(0, 40))
def test_known_sides_stay_and_new_photos_keep_the_balance(arriving: list[dict[str, str]], gone: int) -> None:
    photos: dict[str, str] = {}
    sides: dict[str, str] = {}
    for number, more in enumerate(arriving):
        photos = {**more, **photos}
        decided = decide(shown(photos), Known(sides))
        found = decided.of
        assert all(found[content] == side or content in decided.moved for content, side in sides.items())
        trained = {photos[content] for content, side in sides.items() if side == "train"}
        assert not {photos[content] for content in decided.moved} & trained, "only for a class with nothing to train on"
        for name in CLASSES if not gone or number == 0 else ():
            counts = Counter(found[content] for content, each in photos.items() if each == name)
            assert all(abs(counts[side] - share * counts.total()) <= 1 for side, share in SHARES.items())
        left = sorted(found)[gone if number else 0 :]
        photos = {content: photos[content] for content in left}
        sides = {content: found[content] for content in left}


def test_new_photos_mend_what_was_short() -> None:
    photos = many("cat", 10)
    known = Known(dict.fromkeys(list(photos)[:4], "test"))
    found = decide(shown(photos), known)
    assert Counter(found.of.values()) == {"train": 5, "val": 1, "test": 4}  # of 10: 5, 2, 3
    assert sorted(found.dealt) == sorted(list(photos)[4:])


@pytest.mark.parametrize(("number", "sides"), [(1, "train"), (2, "test train"), (3, "test train val")])
def test_few_photos_are_dealt_by_need(number: int, sides: str) -> None:
    assert " ".join(sorted(decide(shown(many("cat", number)), Known({})).of.values())) == sides


def test_shares_of_many() -> None:
    found = Counter(decide(shown(many("cat", 3000))).of.values())
    assert all(abs(found[side] - share * 3000) < 90 for side, share in SHARES.items())


def test_one_content_in_two_classes_serves_both() -> None:
    both = frozenset({"cat", "dog"})
    alone = {"a": frozenset({"cat"}), "b": both}
    of = decide(alone).of
    assert of == {"a": "test", "b": "train"}, "dog has no other for training"
    assert decide({"a": both}).of == {"a": "train"}
    assert decide({"a": frozenset()}).of == {"a": own_side("a")}, "unlabelled ones are needed by no class"


def test_without_dealing_known_sides_stay_whatever_is_missing() -> None:
    known = Known({"a": "test", "b": "test"}, deal=False)
    assert decide(shown({"a": "cat", "b": "cat"}), known).of == {"a": "test", "b": "test"}
    assert decide(shown({"a": "cat", "b": "cat", "c": "cat"}), known).of["c"] == "train"
    assert set(decide(shown({"a": "cat", "b": "cat"}), Known(known.sides)).of.values()) == {"train", "test"}


def test_numbers_are_kept_for_good() -> None:
    assert number_of("a") == pytest.approx(0.2888683, abs=1e-6), "another number would move images of every folder"
