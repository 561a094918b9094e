"""Figures with two decimals, as all tables and charts print them: what rounds to zero has no minus before it."""

from __future__ import annotations

DECIMALS = 2  # in which the field prints figures, and from which it computes harmonic means


def decimal(value: float) -> str:
    """A figure: ``61.23``, ``-1.20``, and ``0.00`` for what is nearer to zero than that."""
    return f"{_rounded(value):.{DECIMALS}f}"


def signed(value: float) -> str:
    """A difference, with its sign: ``+1.20``, ``-1.20``, and ``+0.00`` for no change."""
    return f"{_rounded(value):+.{DECIMALS}f}"


def _rounded(value: float) -> float:
    return round(value, DECIMALS) + 0.0  # -0.0 + 0.0 is 0.0
