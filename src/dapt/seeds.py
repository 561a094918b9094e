"""Seeds derived from several numbers."""

from __future__ import annotations


def mix_seed(*parts: int) -> int:
    """One seed that depends on all parts; torch's CPU generator reads its low 32 bits, so these are mixed."""
    value = 0
    for part in parts:
        value = (value * 1_000_003 + part + 1) % (2**63 - 25)
    return value
