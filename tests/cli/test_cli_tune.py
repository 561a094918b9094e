"""`dapt tune`: what it is given reaches the search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dapt.cli.app import run
from helpers import make_folder


def test_a_wrong_space_is_said(tmp_path: Path, capsys) -> None:
    file = tmp_path / "maple.yaml"
    file.write_text("data: photos\n")
    assert run(["tune", str(file), "--space", "lr=2..1"]) == 2
    assert "the lower end comes first" in capsys.readouterr().err


def test_a_dotted_key_in_the_file_is_told_its_nested_form(tmp_path: Path, capsys) -> None:
    file = tmp_path / "maple.yaml"
    file.write_text("data: photos\nprompt.n_ctx: 4\n")
    assert run(["tune", str(file)]) == 2
    assert "Write it nested, prompt: {n_ctx: VALUE}, or give --set prompt.n_ctx=VALUE." in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys) -> None:
    assert run(["tune", str(tmp_path / "absent.yaml")]) == 2
    assert "absent.yaml" in capsys.readouterr().err


@pytest.mark.long
def test_a_search_whose_best_is_tested_once(tmp_path: Path, tiny_spec: str, capfd) -> None:
    pytest.importorskip("optuna")
    for number, split in enumerate(("train", "val", "test")):
        make_folder(tmp_path / "data" / split, per_class=3, classes=2, first=100 * number)
        (tmp_path / "data" / f"{split}-masks").rename(tmp_path / f"{split}-masks")
    file, out = tmp_path / "coop.yaml", tmp_path / "out"
    settings = {"data": str(tmp_path / "data"), "model": tiny_spec, "method": "coop", "epochs": 1, "shots": 2}
    file.write_text(yaml.safe_dump({**settings, "space": {"lr": "1e-3..1e-1:log", "prompt.n_ctx": [2, 4]}}))
    assert run(["tune", str(file), "--trials", "3", "--jobs", "2", "--out", str(out)]) == 0
    said = capfd.readouterr().out
    assert "3 done, 0 given up early, 0 failed" in said
    assert "dapt train --config" in said
    assert not list(out.glob("best-*"))
    assert run(["tune", str(file), "--trials", "3", "--out", str(out), "--train"]) == 0
    assert "tested once" in capfd.readouterr().err
    (best,) = out.glob("best-*")
    assert "test/accuracy" in json.loads((best / "results.json").read_text())["metrics"]
    assert run(["tune", str(file), "--set", "shots=1", "--out", str(out)]) == 2
