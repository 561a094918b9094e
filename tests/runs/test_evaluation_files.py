"""Which JSON files count as figures that `dapt eval` wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.results import EvaluationResults, RunResults
from dapt.runs.evaluation_files import is_evaluation

ABOUT = {"method": "coop", "dapt": False, "backbone": "demo", "data": "birds", "metrics": {"test/accuracy": 50.0}}


def test_what_dapt_eval_writes_is_known_again(tmp_path: Path) -> None:
    record = EvaluationResults(**ABOUT, run="runs/x", split="test", classes="all", counts={"images": 2})
    path = tmp_path / "birds-test.json"
    path.write_text(json.dumps(record.tree()))
    assert is_evaluation(path)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RunResults(**ABOUT, shots=1, seed=1).tree()),
        json.dumps([{"schema": 2, "run": "", "split": "", "metrics": {}, "counts": {}}]),
        '{"schema": 2, "run": "", "split": "", "metrics": {}}',
        "no JSON",
        "",
    ],
)
def test_anything_else_is_not(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    assert not is_evaluation(path)


def test_what_is_no_file_is_not(tmp_path: Path) -> None:
    assert not is_evaluation(tmp_path / "absent.json")
    assert not is_evaluation(tmp_path)
