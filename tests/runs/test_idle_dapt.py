"""Runs with DAPT in which none of its terms acts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from dapt.config import make_config
from dapt.runs.train import run_training
from helpers import run_with

NO_WEIGHTS = {"visual_weight": 0, "foreground_weight": 0, "background_weight": 0}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"cue": "none", "dapt": True}, "the cue none gives no image a foreground mask"),
        ({"cue": "masks", "dapt": NO_WEIGHTS}, "the weights of L_v, L_f and L_b are 0"),
        ({"cue": "masks", "dapt": {"foreground_weight": 0}, "method": "coop"}, "the weight of L_f is 0"),
    ],
)
def test_that_no_term_acts_is_said_and_the_run_equals_its_host(
    table: Path, tiny_spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict[str, Any], why: str
) -> None:
    changes = {"n_ctx": 2, "epochs": 1, "method": given.get("method", "maple")}
    changes |= {} if "method" not in given else {"depth": None}
    results = run_training(make_config(run_with(table, tiny_spec, tmp_path / "run", **{**changes, **given})))
    said = [line for line in capsys.readouterr().err.splitlines() if "No term of DAPT acts" in line]
    assert len(said) == 1
    assert why in said[0]
    assert f"equals {results.method} without --dapt" in said[0]
    assert results.flags == ["dapt_idle"]
    host = run_training(make_config(run_with(table, tiny_spec, tmp_path / "host", **changes)))
    assert host.flags == []
    assert host.metrics == pytest.approx(results.metrics, abs=1e-4)
    ours, theirs = (load_file(tmp_path / name / "prompts.safetensors") for name in ("run", "host"))
    assert all(ours[key].allclose(theirs[key], atol=1e-5) for key in theirs)


def test_runs_in_which_a_term_acts_are_not_warned_of(
    table: Path, tiny_spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"cue": "masks", "dapt": {"foreground_weight": 0}, "epochs": 1}
    assert run_training(make_config(run_with(table, tiny_spec, tmp_path / "run", **given))).flags == []
    given = {"cue": "none", "dapt": True, "epochs": 0}
    run_training(make_config(run_with(table, tiny_spec, tmp_path / "untrained", **given)))
    assert "No term of DAPT acts" not in capsys.readouterr().err
