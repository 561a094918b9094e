"""`dapt eval`: what its arguments become, and what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.results import EvaluationResults

RESULT = EvaluationResults(
    **{"method": "maple", "dapt": False, "backbone": "b", "data": "birds", "run": "r", "split": "val"},
    classes="all",
    metrics={"val/accuracy": 12.5},
    counts={"images": 3, "classes": 2},
)


def test_arguments(dapt, caught) -> None:
    calls = caught("dapt.runs.evaluate_run.evaluate_saved", (RESULT, Path("f.json")))
    code, out, err = dapt("eval", "r", "d", "--split", "val", "--classes", "a,b", "--json", "f.json", "--skip-bad")
    assert code == 0, err
    ((given, named),) = calls
    assert given == (Path("r"),)
    assert {key: value for key, value in named.items() if value not in (None, False)} == {
        **{"data": "d", "split": "val", "classes": "a,b", "json_file": Path("f.json"), "skip_bad": True},
        "device": "auto",
    }
    assert "12.50" in out
    assert "written to f.json" in out


def test_by_default_the_runs_own_test_images(dapt, caught) -> None:
    calls = caught("dapt.runs.evaluate_run.evaluate_saved", (RESULT, Path("f.json")))
    assert dapt("eval", "r")[0] == 0
    assert {key: value for key, value in calls[0][1].items() if value not in (None, False)} == {
        "device": "auto",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "Missing argument"), (["/nowhere"], "There is no run"), (["r", "d", "e"], "unexpected extra argument")],
)
def test_mistakes(dapt, arguments: list[str], message: str) -> None:
    code, out, err = dapt("eval", *arguments)
    assert (code, out) == (2, "")
    assert message in err
