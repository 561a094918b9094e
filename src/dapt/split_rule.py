"""How data that comes without splits is divided: the names of the rules, and the usual one."""

from __future__ import annotations

from typing import Literal

SplitRule = Literal["hash", "positions"]

HASH: SplitRule = "hash"
POSITIONS: SplitRule = "positions"
USUAL = HASH


def usual_rule() -> SplitRule:
    """The rule where nobody names one."""
    return USUAL
