"""What two models say to the same images."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from made_up import material, pair, run

from dapt.cli.app import run as run_cli
from dapt.report.overview.gallery import _surest, look


def test_why_models_were_not_asked() -> None:
    for found, images, why in (
        (material(pair()), 0, "--gallery 0"),
        (material([run()]), None, "no method was run without and with DAPT"),
        (material([{**row, "run": "s3://a/b"} for row in pair()]), None, "an address elsewhere"),
        (material([{**row, "run": "/no/where"} for row in pair()]), None, "cannot be asked"),
    ):
        gallery, words = look(found, images=images)
        assert why in gallery.missing
        assert not gallery.shown
        assert not words.shown


def test_those_of_which_a_model_is_surest_come_first() -> None:
    where, sure = torch.tensor([True, False, True, True]), torch.tensor([0.2, 0.9, 0.8, 0.2])
    assert _surest(where, sure, [0, 1, 2, 3], 2) == [2, 0]
    assert _surest(torch.ones(4) > 0, torch.tensor([0.9, 0.8, 0.7, 0.1]), [5, 5, 5, 6], 3) == [0, 3, 1]


@pytest.mark.long
def test_gains_and_failures_of_real_runs(tmp_path: Path, capsys) -> None:
    file = tmp_path / "trial.yaml"
    file.write_text("methods: [maple]\ndapt: [false, true]\ncues: [masks]\ndata: photos\nmodel: demo\nseeds: [1]\n")
    runs, page = tmp_path / "runs", tmp_path / "page.html"
    assert run_cli(["run", str(file), "--smoke", "--out", str(runs)]) == 0
    assert run_cli(["report", str(runs), "--html", str(page), "--gallery", "2", "--device", "cpu"]) == 0
    text = page.read_text()
    assert re.search(r"DAPT right, host wrong \(\d+ of \d+\)", text)
    assert re.search(r"Host right, DAPT wrong \(\d+ of \d+\)", text)
    assert "Words near the learned vectors" in text
    assert "What is taken for what" in text
    assert "How right probabilities are" in text
