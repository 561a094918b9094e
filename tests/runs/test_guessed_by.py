"""Which folders of masks are guesses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.runs.guessed_by import guessed_by


@pytest.mark.parametrize(
    ("cue", "guess"),
    [("border", "border"), ("import", ""), ("masks", ""), ("dataset", ""), ("callable:mine.cut", "callable:mine.cut")],
)
def test_by_the_cue_that_made_them(tmp_path: Path, cue: str, guess: str) -> None:
    assert guessed_by(tmp_path) == ""
    (tmp_path / "masks.json").write_text(json.dumps({"settings": {"cue": cue}}))
    assert guessed_by(tmp_path) == guess


def test_a_file_of_another_kind_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "masks.json").write_text("[1]")
    assert guessed_by(tmp_path) == ""
