"""study.json of a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.errors import ConfigError, DaptError
from dapt.experiments.tuning.study import DONE, FAILED, Study, Trial
from dapt.methods.search import Choice, Range, Space

SPACE: Space = {"lr": Range(0.1, 1.0), "n": Choice((1, 2))}


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    study = Study(tmp_path, {"data": "-"}, SPACE)
    study.trials = [
        Trial(0, {"lr": 0.1, "n": 1}, DONE, 50.0, [40.0, 50.0]),
        Trial(1, {"lr": 0.2, "n": 2}, FAILED, error="no memory"),
        Trial(2, {"lr": 0.3, "n": 2}, DONE, 60.0),
        Trial(3, {"lr": 0.4, "n": 2}, DONE, 60.0),
    ]
    study.write()
    again = Study(tmp_path, {"data": "-"}, SPACE)
    assert again.trials == study.trials
    assert [trial.number for trial in again.ranked()] == [2, 3, 0]
    assert again.count(FAILED) == 1


def test_another_search_is_refused(tmp_path: Path) -> None:
    Study(tmp_path, {"data": "-"}, SPACE).write()
    with pytest.raises(ConfigError, match="other settings"):
        Study(tmp_path, {"data": "x"}, SPACE)
    with pytest.raises(ConfigError, match="another space"):
        Study(tmp_path, {"data": "-"}, {"lr": Range(0.1, 2.0)})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trials": 3}', '{"trials": [{"number": 1}]}', '{"trials": [1]}'])
def test_a_damaged_study_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(DaptError, match=r"study\.json"):
        Study(tmp_path, {"data": "-"}, SPACE)
