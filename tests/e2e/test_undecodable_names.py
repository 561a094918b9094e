"""File names and class folders that are no UTF-8 go through a whole run: training, going on, figures, prediction."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path

import pytest

from dapt.runs.train import run_training
from helpers import make_folder, stopping

pytestmark = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="file names are always decodable here")

CLASS, FILE = os.fsdecode(b"caf\xe9_bleu"), os.fsdecode(b"f\xfc00.png")
SHOWN = "caf\\udce9 bleu"


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    root = make_folder(tmp_path / "photos", per_class=10, classes=2)
    (root / "blue_disc").rename(root / CLASS)
    for folder in (root / CLASS, root / "red_square"):
        (folder / "00.png").rename(folder / FILE)
    return root


def test_a_whole_run(dapt, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    train = ("train", photographs, "--model", "demo", "--method", "coop", "--epochs", 2, "--shots", 16, "--out", run)
    with monkeypatch.context() as patch:
        patch.setattr("dapt.runs.train.run_training", partial(run_training, after_epoch=stopping()))
        assert dapt(*train)[0] == 130
    code, _, err = dapt(*train, "--resume")
    assert code == 0, err
    assert SHOWN in err, "it is said how the class is called"
    split = json.loads((run / "split.json").read_bytes().decode("ascii"))
    used = {row[0] for part in ("train", "val", "test") for row in split[part]}
    assert {f"{CLASS}/{FILE}", f"red_square/{FILE}"} <= used, "as Python keeps such names"
    assert {row[2] for row in split["train"]} == {SHOWN, "red square"}
    assert dapt(*train, "--resume")[0] == 0
    for command in (("eval", run), ("eval", run, photographs)):
        code, _, err = dapt(*command)
        assert code == 0, err
    out = tmp_path / "p.json"
    code, _, err = dapt("predict", run, photographs, "--out", out)
    assert code == 0, err
    named = {os.fsencode(each["image"]) for each in json.loads(out.read_text())}
    assert named == {os.fsencode(path) for path in photographs.rglob("*.png")}


def test_a_selection_is_read_again(dapt, photographs: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen.json"
    given = ("--model", "demo", "--method", "zero_shot")
    code, _, err = dapt(
        "data", "select", photographs, *given, "--select", "uniform", "--fraction", 0.9, "--shots", 0, "--out", chosen
    )
    assert code == 0, err
    code, _, err = dapt("train", photographs, *given, "--split-file", chosen, "--shots", 0, "--out", tmp_path / "r")
    assert code == 0, err


def test_two_forms_of_one_class_are_refused(dapt, tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", per_class=4, classes=2)
    (root / "blue_disc").rename(root / "e\u0301tang")
    (root / "red_square").rename(root / "\u00e9tang")
    code, _, err = dapt("train", root, "--model", "demo", "--method", "zero_shot", "--out", tmp_path / "r")
    assert code == 2
    assert "two Unicode forms" in err
