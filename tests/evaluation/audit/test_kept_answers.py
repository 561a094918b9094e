"""Answers that are kept: read back for the same question only, and an interrupted audit ends with the same figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dapt.errors import ConfigError
from dapt.evaluation.audit.answers import NO_ANSWER, Answers
from dapt.evaluation.audit.kept_answers import KeptAnswers


def empty() -> Answers:
    return Answers(("a", "b"), np.full((2, 5), NO_ANSWER), np.zeros((2, 5), np.float32), np.zeros((2, 5), np.float32))


def given() -> list[Answers]:
    several = [empty(), empty()]
    for number, each in enumerate(several):
        each.predicted[:] = np.arange(10).reshape(2, 5) + number
        each.confidence[:] = 0.5 + number / 4
        each.truth[:] = 0.25
    return several


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    KeptAnswers(tmp_path / "k", "key", 0).keep(given(), 3)
    found = [empty(), empty()]
    assert KeptAnswers(tmp_path / "k", "key").read(found) == 3
    for mine, right in zip(found, given(), strict=True):
        assert (mine.predicted[:, :3] == right.predicted[:, :3]).all()
        assert (mine.predicted[:, 3:] == NO_ANSWER).all()
        assert (mine.confidence[:, :3] == right.confidence[:, :3]).all()
        assert (mine.truth[:, :3] == right.truth[:, :3]).all()


def test_nothing_is_kept_too_often_or_read_from_nowhere(tmp_path: Path) -> None:
    KeptAnswers(tmp_path / "k", "key", 1000).keep(given(), 3)
    assert not (tmp_path / "k").exists()
    assert KeptAnswers(tmp_path / "k", "key").read([empty(), empty()]) == 0


def test_another_question_or_damage(tmp_path: Path) -> None:
    KeptAnswers(tmp_path / "k", "key", 0).keep(given(), 3)
    with pytest.raises(ConfigError, match="other models, images or options"):
        KeptAnswers(tmp_path / "k", "other").read([empty(), empty()])
    with pytest.raises(ConfigError, match="other models, images or options"):
        KeptAnswers(tmp_path / "k", "key").read([empty()])
    content = (tmp_path / "k").read_bytes()
    for damaged in (b"", b"nothing", content[: len(content) // 2]):
        (tmp_path / "k").write_bytes(damaged)
        with pytest.raises(ConfigError, match=r"damaged[\s\S]*--overwrite"):
            KeptAnswers(tmp_path / "k", "key").read([empty(), empty()])
