"""A refusal says why, and what to do."""

from __future__ import annotations

from dapt.data.load.picture_files import Refusal as Known
from dapt.data.load.refusal import SAVE_AS, Refusal


def test_a_refusal_says_what_to_do() -> None:
    refusal = Refusal("is a web page, which is not read", SAVE_AS)
    assert (refusal.why, refusal.todo, str(refusal)) == ("is a web page, which is not read", SAVE_AS, refusal.why)
    assert "--skip-bad" in SAVE_AS
    assert Known is Refusal
