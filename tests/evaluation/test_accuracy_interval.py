"""The interval of an accuracy against published values and its own limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapt.evaluation.accuracy_interval import is_more, wilson


@pytest.mark.parametrize(
    ("right", "images", "low", "high"),
    [
        (81, 263, 25.53, 36.62),  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (15, 148, 6.24, 16.05),
        (0, 20, 0.0, 16.11),
        (1, 29, 0.61, 17.18),
    ],
)
def test_it_is_the_published_one(right: int, images: int, low: float, high: float) -> None:
    assert wilson(100 * right / images, images) == pytest.approx((low, high), abs=0.006)


@given(st.integers(1, 5000), st.floats(0, 100))
def test_it_holds_the_accuracy_and_stays_a_share(images: int, accuracy: float) -> None:
    low, high = wilson(accuracy, images)
    assert 0 <= low <= accuracy + 1e-9
    assert accuracy - 1e-9 <= high <= 100


@pytest.mark.parametrize(
    ("one", "other", "images", "more"),
    [(81.8, 51.5, 33, True), (82, 80, 100, False), (82, 80, 10_000, True), (80, 80, 100, False), (0, 100, 5, False)],
)
def test_what_chance_does_not_make(one: float, other: float, images: int, more: bool) -> None:
    assert is_more(one, other, images) is more
