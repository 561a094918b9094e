"""The scripts of tools/ tell mistakes as the program does: a sentence or two, exit code 2, no traceback."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import dapt.results
from helpers import REPOSITORY, make_csv

TOOLS = REPOSITORY / "tools"


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a few things that are not what scripts look for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(TOOLS))
    (tmp_path / "page.md").write_text("# A page\n")
    (tmp_path / "demo.md").write_text("# A page\n\n<!-- figures -->\n<!-- end -->\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.yaml").write_text("methods: [coop]\ndata: [photos]\n")
    (tmp_path / "no.yaml").write_text("methods: [nosuch]\ndata: [oxford_pets]\n")
    for name in ("leeds_butterfly", "caltech101"):
        (tmp_path / "shared" / "data" / name).mkdir(parents=True)
        (tmp_path / "shared" / "data" / name / "index.csv").write_text("image,label\na.png,0\n")
    make_csv(tmp_path / "table")
    row = {"kind": "evaluation", "method": "maple", "backbone": "b", "data": "d", "subset": "all", "shots": 8}
    row |= {"run": "r", "dapt": False, "seed": 1, "audit/original": 60.0}
    dapt.results.save(pd.DataFrame([row]), tmp_path / "half.parquet")
    dapt.results.save(pd.DataFrame([{**row, "kind": "run"}]).drop(columns="audit/original"), tmp_path / "run.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["cue_quality", "--data", "gone"], "There is no data at"),
        (["cue_quality", "--data", "table/index.csv", "--models", "demo", "--cues", "nosuch"], "nosuch"),
        (["cue_quality", "--data", "table/index.csv", "--models", "demo", "--cues", "border,smooth"], "border,smooth"),
        (["cue_quality", "--data", "table/index.csv", "--models", "demo", "--limit", "0"], "--limit"),
        (["cue_quality", "--data", "table/index.csv", "--models", "demo", "--split", "nosuch"], "nosuch"),
        (["demo_clip_card"], "folder"),
        (["demo_clip_card", "gone"], "gone"),
        (["demo_figures", "out", "--variants", "nosuch"], "dapt.variant"),
        (["demo_figures", "out", "--tables", "gone.md"], "gone.md"),
        (["demo_figures", "out", "--tables", "page.md"], "page.md"),
        (["demo_figures", "out", "--scene-seeds", *map(str, range(1, 12))], "10 scene seeds"),
        (["draw_demo"], "demo"),
        (["draw_demo", "empty"], "demo.yaml"),
        (["draw_idea", "idea.text"], "idea.text"),
        (["evidence_data", "--shared", "gone"], "index.csv"),
        (["evidence_data", "--shared", "shared"], "index.csv"),
        (["evidence_figures", "gone.parquet"], "gone.parquet"),
        (["evidence_figures", "half.parquet"], "audit/mixed_rand"),
        (["evidence_figures", "run.parquet"], "There is no audit of maple"),
        (["evidence_guard", "gone.parquet"], "gone.parquet"),
        (["evidence_guard", "run.parquet"], "There are 0 runs"),
        (["evidence_novel", "gone.parquet"], "gone.parquet"),
        (["evidence_novel", "run.parquet"], "No host has runs of 'swap'"),
        (["evidence_terms", "gone.json"], "gone.json"),
        (["evidence_terms", "empty"], "empty"),
        (["evidence_times", "gone.parquet"], "gone.parquet"),
        (["evidence_times", "run.parquet"], "No host has times"),
        (["experiment_costs", "gone.yaml"], "gone.yaml"),
        (["experiment_costs", "no.yaml"], "nosuch"),
        (["experiment_costs", "other.yaml"], "photos"),
        (["fill_tables", "gone.md"], "gone.md"),
        (["fill_tables", "page.md"], "page.md has no command"),
        (["fill_tables", "demo.md"], "is made by tools/demo_figures.py"),
        (["train_demo_clip", "--photos", "gone", "--out", "out"], "There is no data at"),
        (["train_demo_clip", "--steps", "0", "--out", "out"], "at least one"),
        (
            ["train_tiny_segmenter", "--out", "tiny.onnx", "--scenes", "32", "--epochs", "1", "--device", "nosuch"],
            "nosuch",
        ),
    ],
)
def test_mistakes_are_told(
    prepared: Path, words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [words[0], *words[1:]])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(TOOLS / f"{words[0]}.py"), run_name="__main__")
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
    assert not (prepared / "out").exists(), "nothing is made before"


def test_every_script_ends_so() -> None:
    for path in TOOLS.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "__main__" in text:
            assert "ending(main)" in text, path.name
            assert "SystemExit(f" not in text, path.name


def test_interrupts_and_bugs_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    from ending import ending

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        ending(interrupted)
    assert ended.value.code == 130
    with pytest.raises(SystemExit) as ended:
        ending(lambda: None)
    assert ended.value.code == 0
    with pytest.raises(ZeroDivisionError):
        ending(lambda: 1 / 0)


def test_a_reader_that_has_gone_is_no_mistake(tmp_path: Path) -> None:
    program = "import ending; ending.ending(lambda: print('x' * 1_000_000))"
    command = f'{sys.executable} -c "{program}" | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}'
    environment = {**os.environ, "PYTHONPATH": f"{TOOLS}{os.pathsep}{REPOSITORY / 'src'}"}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split() == ["141"]
    assert not done.stderr
