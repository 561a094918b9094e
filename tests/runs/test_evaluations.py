"""Figures of later evaluations in the folder of a finished run: listed, replaced, never over anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.lock import FolderLock
from dapt.owned import read_manifest
from dapt.results import EvaluationResults
from dapt.runs.evaluations import add_evaluation, check_evaluation
from dapt.runs.run_folder import RunFolder


def record(accuracy: float, **asked: str) -> EvaluationResults:
    return EvaluationResults(
        **{"method": "maple", "dapt": False, "backbone": "tiny", "data": "table", "run": "r", "split": "test"},
        classes="all",
        asked=asked,
        metrics={"test/accuracy": accuracy},
        counts={"images": 8},
    )


def test_figures_are_written_and_listed(run: Path) -> None:
    path = add_evaluation(RunFolder(run), "table-test", record(50.0))
    assert path == run / "eval" / "table-test.json"
    assert json.loads(path.read_text())["metrics"] == {"test/accuracy": 50.0}
    assert read_manifest(run).files["eval/table-test.json"] is None


def test_the_same_question_again_replaces_the_answer(run: Path) -> None:
    first = add_evaluation(RunFolder(run), "table-test", record(50.0, place="/a"))
    assert add_evaluation(RunFolder(run), "table-test", record(75.0, place="/a")) == first
    assert json.loads(first.read_text())["metrics"] == {"test/accuracy": 75.0}
    assert [path.name for path in (run / "eval").iterdir()] == ["table-test.json"]


def test_another_question_of_the_same_name_leaves_the_first_answer(run: Path) -> None:
    first = add_evaluation(RunFolder(run), "table-test", record(50.0, place="/a"))
    other = add_evaluation(RunFolder(run), "table-test", record(75.0, place="/b"))
    assert other.parent == first.parent
    assert other.stem.startswith("table-test-")
    assert len(other.stem) == len("table-test-") + 8
    assert json.loads(first.read_text())["metrics"] == {"test/accuracy": 50.0}
    assert {"eval/table-test.json", f"eval/{other.name}"} <= set(read_manifest(run).files)
    assert add_evaluation(RunFolder(run), "table-test", record(76.0, place="/b")) == other, "asked again: its own place"


def test_files_of_somebody_else_are_left_alone(run: Path, tmp_path: Path) -> None:
    (run / "eval").mkdir()
    mine = run / "eval" / "mine.json"
    mine.write_text('{"my": "notes"}')
    with pytest.raises(ConfigError, match="in the way: dapt did not write it"):
        check_evaluation(RunFolder(run), "mine")
    with pytest.raises(ConfigError, match="in the way"):
        add_evaluation(RunFolder(run), "mine", record(1.0))
    assert mine.read_text() == '{"my": "notes"}'
    (run / "eval" / "link.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="in the way"):
        check_evaluation(RunFolder(run), "link")


def test_a_linked_folder_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (run / "eval").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="reached through a link"):
        add_evaluation(RunFolder(run), "table-test", record(1.0))
    assert not list((tmp_path / "elsewhere").iterdir())


def test_one_writer_at_a_time(run: Path) -> None:
    with FolderLock(run), pytest.raises(ConfigError, match="is in use by process"):
        add_evaluation(RunFolder(run), "table-test", record(1.0))
    assert not (run / "eval").exists()
