"""The usual rule of division."""

from __future__ import annotations

from typing import get_args

from dapt.split_rule import HASH, POSITIONS, SplitRule, usual_rule


def test_names() -> None:
    assert set(get_args(SplitRule)) == {HASH, POSITIONS}


def test_users_have_the_stable_one(by_content: None) -> None:
    assert usual_rule() == HASH
