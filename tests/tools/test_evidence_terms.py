"""The table of what terms do: first and last epochs, from runs or from what was saved of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.runs.train import run_training
from helpers import REPOSITORY, run_with

sys.path.insert(0, str(REPOSITORY / "tools"))
from evidence_terms import main, table


def test_first_and_last_epochs_and_their_means() -> None:
    one = [{"distance/foreground": 1.0, "angle/L_v": 100.0}, {"distance/foreground": 0.5}]
    two = [{"distance/foreground": 2.0}, {"distance/foreground": 0.75, "size/L_v": 0.25}]
    lines = table({"joint": [one, two]}).splitlines()
    assert lines[0] == "| setting | runs | distance/foreground | angle/L_v | size/L_v |"
    assert lines[2] == "| joint | 2 | 1.50 → 0.62 | 100 → 100 | 0.25 → 0.25 |"


def test_what_was_saved_of_runs_gives_the_same_table(
    table: Path, tiny_spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = run_with(table, tiny_spec, tmp_path / "runs" / "one", cue={"source": "dataset"})
    dapt = {"enabled": True, "variant": "joint"}
    run_training(make_config({**given, "dapt": dapt}))
    with pytest.raises(SystemExit, match="looked at its terms"):
        main([str(tmp_path / "runs")])
    run_training(make_config({**given, "dapt": {**dapt, "diagnose": True}, "out": str(tmp_path / "runs" / "two")}))
    capsys.readouterr()
    main([str(tmp_path / "runs"), "--save", str(tmp_path / "terms.json")])
    first = capsys.readouterr().out
    assert "| joint dataset | 1 |" in first
    assert "distance/background" in first
    main([str(tmp_path / "terms.json")])
    assert capsys.readouterr().out == first
