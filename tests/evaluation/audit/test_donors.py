"""Who lends whom a background: the seed and the names decide, and classes are as promised."""

from __future__ import annotations

import numpy as np

from dapt.evaluation.audit.donors import NONE, choose_donors, drawn, with_strangers

NAMES = [f"{label}/{number}.png" for label in range(4) for number in range(10)]
LABELS = [label for label in range(4) for _ in range(10)]


def test_classes_of_donors() -> None:
    found = choose_donors(NAMES, LABELS, [True] * 40, 1)
    labels = np.array(LABELS)
    assert (labels[found.of["mixed_same"]] == labels).all()
    assert (labels[found.of["mixed_next"]] == (labels + 1) % 4).all()
    assert set(labels[found.of["mixed_rand"]]) == {0, 1, 2, 3}
    own = (labels[found.of["mixed_rand"]] == labels).sum()
    assert 3 <= own <= 18, "the own class is one of four"
    for donors in found.of.values():
        assert (donors != np.arange(40)).all(), "none is its own donor"
    assert found.bare == found.alone == ()


def test_the_order_of_images_changes_nothing() -> None:
    straight = choose_donors(NAMES, LABELS, [True] * 40, 7)
    turned = choose_donors(NAMES[::-1], LABELS[::-1], [True] * 40, 7)
    for variant, donors in straight.of.items():
        names = {NAMES[place]: NAMES[donor] for place, donor in enumerate(donors)}
        again = {NAMES[::-1][place]: NAMES[::-1][donor] for place, donor in enumerate(turned.of[variant])}
        assert names == again


def test_the_seed_decides() -> None:
    one, two, again = (choose_donors(NAMES, LABELS, [True] * 40, seed) for seed in (1, 2, 1))
    for variant in one.of:
        assert (one.of[variant] == again.of[variant]).all()
        assert (one.of[variant] != two.of[variant]).any()


def test_classes_without_donors() -> None:
    lends = [not name.startswith("2/") for name in NAMES]
    lends[1:10] = [False] * 9  # of class 0 one image lends
    found = choose_donors(NAMES, LABELS, lends, 1)
    assert found.bare == (2,)
    assert found.alone == (0, 2)
    same, following = found.of["mixed_same"], found.of["mixed_next"]
    assert same[0] == NONE
    assert (same[1:10] == 0).all()
    assert (same[20:30] == NONE).all()
    assert (following[10:20] == NONE).all(), "the next class is the next, and has none"
    assert (found.of["mixed_rand"] != NONE).all()


def test_one_class_has_no_other() -> None:
    found = choose_donors(NAMES[:10], [3] * 10, [True] * 10, 1)
    assert (found.of["mixed_same"] != NONE).all()
    assert (found.of["mixed_rand"] == NONE).all()
    assert (found.of["mixed_next"] == NONE).all()


def test_numbers_are_drawn_evenly_and_from_any_name() -> None:
    counts = np.bincount([drawn(1, f"name {number}", 5) for number in range(2000)], minlength=5)
    assert counts.min() > 330
    assert drawn(1, "\udcff", 10) in range(10)


def test_strangers_lie_behind_all_others_and_change_nothing_else() -> None:
    own = choose_donors(NAMES, LABELS, [True] * 40, 3)
    found = with_strangers(own, NAMES, 4, 3)
    for variant, donors in own.of.items():
        assert (found.of[variant][:40] == donors).all()
        assert (found.of[variant][40:] == NONE).all()
    other = found.of["mixed_other"]
    assert set(other[:40]) == {40, 41, 42, 43}
    assert (other[40:] == NONE).all()
    assert found.to("mixed_other", 0) == other[0]
    assert own.to("mixed_other", 0) == NONE
    again = with_strangers(own, NAMES, 4, 4).of["mixed_other"]
    assert (again != other).any(), "the seed decides"
