"""Base and novel classes, and what is left of labels when some classes are kept."""

from __future__ import annotations

import pytest

from dapt.data.subsets import base_and_novel, keep_classes


@pytest.mark.parametrize(
    ("labels", "base", "novel"),
    [
        ([], [], []),
        ([7], [7], []),
        ([3, 1], [1], [3]),
        ([4, 0, 2, 2, 0, 9, 4, 1], [0, 1, 2], [4, 9]),  # five classes: three are base
        (range(6), [0, 1, 2], [3, 4, 5]),
    ],
)
def test_the_first_half_rounded_up_is_base(labels: list[int], base: list[int], novel: list[int]) -> None:
    assert base_and_novel(labels) == (base, novel)


def test_kept_classes_are_numbered_in_their_given_order() -> None:
    assert keep_classes([5, 1, 3, 5, 2, 1], [5, 1]) == ([0, 1, 3, 5], [0, 1, 0, 1])
    assert keep_classes([5, 1, 3, 5, 2, 1], [1, 5]) == ([0, 1, 3, 5], [1, 0, 1, 0])
    assert keep_classes([5, 1], []) == ([], [])
    assert keep_classes([5, 1], [8]) == ([], [])


def test_both_halves_together_are_everything_once() -> None:
    labels = [n * 7 % 11 for n in range(40)]
    base, novel = base_and_novel(labels)
    positions = sorted(keep_classes(labels, base)[0] + keep_classes(labels, novel)[0])
    assert positions == list(range(40))
