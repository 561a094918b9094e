"""`dapt report` through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.cli.app import run as run_cli

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("scipy")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for dapt in (False, True):
        for seed in (1, 2, 3):
            folder = tmp_path / "runs" / f"{dapt}-{seed}"
            folder.mkdir(parents=True)
            base, novel = 80.0 + seed + 2 * dapt, 60.0 - seed + dapt
            tree = {
                **{"schema": 2, "method": "maple", "dapt": dapt, "backbone": "demo", "data": "photos", "shots": 16},
                **{"seed": seed, "subset": "base", "cue": "masks" if dapt else None},
                "metrics": {"test/accuracy_base": base, "test/accuracy_novel": novel},
            }
            (folder / "results.json").write_text(json.dumps(tree))
            (folder / "run.yaml").write_text(f"method: maple\nsubset: base\nseed: {seed}\n")
    return tmp_path / "runs"


def test_notes_of_csv_tables_are_said(runs: Path, capsys) -> None:
    assert run_cli(["report", str(runs), "--format", "csv"]) == 0
    said = capsys.readouterr()
    assert "means over 3 seeds" in " ".join(said.err.split())
    assert said.out.startswith("table,method,column")
    assert "means over" not in said.out


def test_on_the_terminal(runs: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert run_cli(["report", str(runs)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "base-to-novel, photos" in out
    assert "82.00 ± 0.82" in out
    assert "84.00 ± 0.82" in out


def test_into_a_file_beside_published_figures(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "table.md"
    code = run_cli(["report", str(runs), "--format", "markdown", "--compare", "published", "--out", str(out)])
    assert code == 0
    text = out.read_text()
    assert "| MaPLe + DAPT | **84.00 ± 0.82** | **59.00 ± 0.82** | **69.31 ± 0.29** | +1.37 [" in text
    assert "No published figures are known for this table." in text


def test_a_table_of_ones_own(runs: Path, capsys) -> None:
    asked = ["--figure", "test/accuracy_base", "--rows", "dapt", "--columns", "seed", "--format", "csv"]
    assert run_cli(["report", str(runs), *asked]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[1].startswith("test/accuracy_base,False,1,81.0,")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--table", "fewshot"], "Did you mean 'few-shot'"),
        (["--table", "cross"], "no run that belongs into the table cross"),
        (["--format", "word"], "There is no format 'word'"),
        (["--compare", "others"], "nothing called 'others'"),
        (["--rows", "data"], "belong to --figure"),
        (["--figure", "x", "--table", "dg"], "goes with neither"),
        (["--figure", "test/acuracy"], "Did you mean 'test/accuracy"),
        (["--out", "x.md"], "--out needs a --format"),
    ],
)
def test_mistakes(runs: Path, capsys, more: list[str], said: str) -> None:
    assert run_cli(["report", str(runs), *more]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.parametrize("form", ["markdown", "latex", "typst", "csv"])
@pytest.mark.parametrize("more", [[], ["--compare", "published"], ["--figure", "test/accuracy_base"]])
def test_a_table_replaces_tables_and_nothing_else(
    runs: Path, tmp_path: Path, capsys, form: str, more: list[str]
) -> None:
    words = ["report", str(runs), "--format", form, *more]
    ours, mine = tmp_path / "ours.txt", tmp_path / "mine.txt"
    assert run_cli([*words, "--out", str(ours)]) == 0
    assert run_cli([*words, "--out", str(ours)]) == 0
    for text in (
        "my notes\n",
        "",
        "**Bold** words of mine\n",
        "method,mean\ncoop,1\n",
        "\\begin{table}\n\\centering\n",
    ):
        mine.write_text(text)
        assert run_cli([*words, "--out", str(mine)]) == 2
        assert "mine.txt exists, and dapt report did not write it. (--out)" in capsys.readouterr().err
        assert mine.read_text() == text
    assert run_cli([*words, "--out", str(tmp_path)]) == 2
    assert "is a folder, not a file. (--out)" in capsys.readouterr().err


def test_a_store_replaces_stores_and_nothing_else(runs: Path, tmp_path: Path, capsys) -> None:
    import pandas as pd

    mine = tmp_path / "mine.parquet"
    pd.DataFrame({"run": ["of the mill"], "price": [1.0]}).to_parquet(mine)
    before = mine.read_bytes()
    assert run_cli(["report", str(runs), "--store", str(mine)]) == 2
    assert "mine.parquet exists, and holds no runs of dapt. (--store)" in capsys.readouterr().err
    assert mine.read_bytes() == before
    mine.write_text("no table")
    assert run_cli(["report", str(runs), "--store", str(mine)]) == 2
    assert mine.read_text() == "no table"
    for _ in range(2):
        assert run_cli(["report", str(runs), "--store", str(tmp_path / "ours.parquet")]) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--html", "{x}", "--store", "{x}"],
        ["--html", "{x}", "--out", "{x}", "--format", "csv"],
        ["--html", "{x}", "--figures", "{x}"],
    ],
)
def test_two_outputs_in_one_place(runs: Path, tmp_path: Path, capsys, words: list[str]) -> None:
    place = tmp_path / "x.parquet"
    assert run_cli(["report", str(runs), *(word.format(x=place) for word in words)]) == 2
    assert "are one place" in capsys.readouterr().err
    assert not place.exists()


def test_a_report_of_nothing(tmp_path: Path, capsys) -> None:
    assert run_cli(["report", str(tmp_path)]) == 2
    assert "There is no finished run" in capsys.readouterr().err
    assert run_cli(["report", str(tmp_path / "none")]) == 2
    assert "There is no folder" in capsys.readouterr().err


def test_all_runs_in_one_file(runs: Path, tmp_path: Path, capsys) -> None:
    store = tmp_path / "runs.parquet"
    assert run_cli(["report", str(runs), "--store", str(store), "--format", "markdown"]) == 0
    first = capsys.readouterr()
    assert "6 rows of results" in first.err
    assert run_cli(["report", str(store), "--format", "markdown"]) == 0
    assert capsys.readouterr().out == first.out
