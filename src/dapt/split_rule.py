"""How data that comes without splits is divided: the names of the rules, and the usual one."""

from __future__ import annotations

from typing import Literal

HASH, POSITIONS = "hash", "positions"
SplitRule = Literal["hash", "positions"]

USUAL: SplitRule = "hash"


def usual_rule() -> SplitRule:
    """The rule where nobody names one."""
    return USUAL
