"""How far an accuracy of so many images can be off."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959964  # of the normal distribution


def wilson(accuracy: float, images: int, z: float = Z95) -> tuple[float, float]:
    """The 95% interval of an accuracy, both in percent, by the score method (Wilson 1927, JASA 22).

    Unlike the usual plus and minus it stays between 0 and 100, and says something where all answers are right.

    Args:
        accuracy: in percent. images: it was found on, at least one.
    """
    share, square = accuracy / 100, z * z
    middle = (share + square / (2 * images)) / (1 + square / images)
    half = z / (1 + square / images) * sqrt(share * (1 - share) / images + square / (4 * images**2))
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def is_more(one: float, other: float, images: int, z: float = Z95) -> bool:
    """Whether an accuracy is above another by more than chance makes of so many images, both in percent.

    The difference beside its standard error as of two samples. Answers to the same images agree more often, so that it
    rather says no.
    """
    share, less = one / 100, other / 100
    error = sqrt((share * (1 - share) + less * (1 - less)) / images)
    return share - less > z * error
