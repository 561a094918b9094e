"""Where page and figures go."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import dapt.results
from dapt.cli.app import run as run_cli

ROW = {"kind": "run", "method": "maple", "dapt": False, "data": "photos", "shots": 4, "seed": 1, "subset": "all"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    rows = [
        {**ROW, "run": f"{dapt}-{shots}", "dapt": dapt, "shots": shots, "test/accuracy": 50.0 + shots + dapt}
        for dapt in (False, True)
        for shots in (4, 16)
    ]
    for row in rows:
        row["backbone"] = "demo"
    return dapt.results.save(pd.DataFrame(rows), tmp_path / "store.parquet")


def test_a_page_and_figures_of_a_store(store: Path, tmp_path: Path, capsys) -> None:
    page, figures = tmp_path / "new" / "page.html", tmp_path / "figures"
    assert run_cli(["report", str(store), "--html", str(page), "--figures", str(figures)]) == 0
    said = capsys.readouterr()
    assert "MaPLe + DAPT" in page.read_text()
    assert "4 figures in" in said.err + said.out
    assert "not shown: Base against novel classes" in said.err + said.out
    assert sorted(path.suffix for path in figures.iterdir()) == [".png", ".png", ".svg", ".svg"]
    assert "MaPLe" not in said.out, "with a page no table is printed unless one is asked for"
    assert run_cli(["report", str(store), "--html", str(page), "--format", "markdown"]) == 0
    assert "| MaPLe | <u>54.00</u> |" in capsys.readouterr().out


def test_it_is_said_what_figures_leave_out(tmp_path: Path, capsys) -> None:
    rows = [
        {**ROW, "run": f"{place}-{shots}", "method": f"own{place}", "shots": shots, "test/accuracy": 50.0 + place}
        for place in range(12)
        for shots in (4, 16)
    ]
    store = dapt.results.save(pd.DataFrame(rows), tmp_path / "store.parquet")
    assert run_cli(["report", str(store), "--figures", str(tmp_path / "figures")]) == 0
    assert "'By number of images': 10 of 12 rows" in " ".join(capsys.readouterr().err.split())


def test_what_is_in_the_way(store: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "mine.html").write_text("mine")
    assert run_cli(["report", str(store), "--html", str(tmp_path / "mine.html")]) == 2
    assert "dapt report did not write it" in capsys.readouterr().err
    assert run_cli(["report", str(store), "--figures", str(tmp_path / "mine.html")]) == 2
    assert run_cli(["report", str(store), "--gallery", "3"]) == 2
    assert "--gallery belongs to --html" in capsys.readouterr().err


def test_a_report_of_nothing(tmp_path: Path, capsys) -> None:
    assert run_cli(["report", str(tmp_path), "--html", str(tmp_path / "page.html")]) == 2
    assert f"no finished run in {tmp_path}" in "".join(capsys.readouterr().err.split("\n"))
    assert not (tmp_path / "page.html").exists()


def test_damaged_runs_are_named_on_the_page(store: Path, tmp_path: Path, capsys) -> None:
    for name, text in (("half", "{"), ("old", '{"schema": 99}')):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "results.json").write_text(text)
    page = tmp_path / "page.html"
    assert run_cli(["report", str(store), str(tmp_path / "runs"), "--html", str(page)]) == 0
    text = page.read_text()
    assert "half is not in the report: it is damaged." in text
    assert "old is not in the report: it was written by a newer version of dapt." in text
