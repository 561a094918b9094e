"""Tables as text: nothing in a name breaks a format, and missing cells are missing."""

from __future__ import annotations

import csv
import io

import pytest

from dapt.report.tables.formats import FORMATS, Shown, figure, gap, print_rich
from dapt.report.tables.grid import Cell, Grid
from dapt.report.tables.significance import Difference


def shown(row: str = "maple + DAPT") -> Shown:
    cells = {("maple", "16"): Cell(60.0, 1.0, 3, rank=2), (row, "16"): Cell(61.234, 0.5, 3, rank=1)}
    grid = Grid("accuracy by shots, a_b", ["maple", row], ["1", "16"], cells, main="16", notes=["A note."])
    return Shown(grid, {row: Difference(1.2, 0.3, 2.1, 3, 0.03, 0.06)}, {})


def test_figures() -> None:
    assert figure(Cell(61.234)) == "61.23"
    assert figure(Cell(61.234, 0.5)) == "61.23 ± 0.50"
    assert gap(Difference(-1.2, -2, -0.1, 3, 0.03, 0.06)) == "-1.20 [-2.00, -0.10] p 0.060"
    assert gap(Difference(1.2, 1.2, 1.2, 1)) == "+1.20"
    assert gap(None) == "–"


def test_markdown() -> None:
    assert FORMATS["markdown"](shown()).split("\n") == [
        "**accuracy by shots, a_b**",
        "",
        "| method | 1 | 16 | Δ host |",
        "|---|---|---|---|",
        "| maple | – | <u>60.00 ± 1.00</u> | – |",
        "| maple + DAPT | – | **61.23 ± 0.50** | +1.20 [0.30, 2.10] p 0.060 |",
        "",
        "A note.",
    ]
    assert "a\\|b" in FORMATS["markdown"](shown("a|b"))


def test_latex() -> None:
    text = FORMATS["latex"](shown("a_b & 5% #1 {x} \\y"))
    assert r"a\_b \& 5\% \#1 \{x\} \textbackslash{}y" in text
    assert r"\textbf{61.23 $\pm$ 0.50}" in text
    assert r"\underline{60.00 $\pm$ 1.00}" in text
    assert r"$\Delta$ host" in text
    assert "–" not in text
    rows = [line for line in text.split("\n") if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in rows} == {3}


def test_typst() -> None:
    text = FORMATS["typst"](shown("a_b #x [y]"))
    assert r"[a\_b \#x \[y\]]" in text
    assert "#strong[61.23 ± 0.50]" in text
    assert "columns: 4" in text
    assert text.count("(") == text.count(")")


def test_csv_has_full_precision() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](shown('a "b", c')))))
    assert [(row["method"], row["column"]) for row in rows] == [("maple", "16"), ('a "b", c', "16")]
    assert float(rows[1]["mean"]) == 61.234
    assert (rows[1]["difference"], rows[1]["p_holm"], rows[0]["difference"]) == ("1.2", "0.06", "")


def test_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_rich(shown("maple + DAPT [bold]"))
    out = capsys.readouterr().out
    assert "maple + DAPT [bold]" in " ".join(out.split())
    assert "61.23 ± 0.50" in out
    assert "A note." in out
