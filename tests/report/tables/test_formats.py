"""Tables as text: nothing in a name breaks a format, and missing cells are missing."""

from __future__ import annotations

import csv
import io

from dapt.report.tables.formats import FORMATS, Shown, figure, gap
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
    assert "\\<b>a\\*\\[x\\] y" in FORMATS["markdown"](shown("<b>a*[x]\ny"))
    for form in ("latex", "typst"):
        assert "one two" in FORMATS[form](shown("one\ntwo"))


def test_latex() -> None:
    text = FORMATS["latex"](shown("a_b & 5% #1 {x} \\y"))
    assert r"a\_b \& 5\% \#1 \{x\} \textbackslash{}y" in text
    assert r"\textbf{61.23 $\pm$ 0.50}" in text
    assert r"\underline{60.00 $\pm$ 1.00}" in text
    assert r"$\Delta$ host" in text
    assert "–" not in text
    rows = [line for line in text.split("\n") if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in rows} == {3}


def test_latex_has_minus_signs() -> None:
    found = Difference(-1.37, -2.0, 0.3, 3, 0.03, 0.06)
    text = FORMATS["latex"](Shown(shown("MaPLe-2 + DAPT").grid, {"MaPLe-2 + DAPT": found}, {}))
    assert "$-$1.37 [$-$2.00, 0.30] p 0.060" in text
    assert "MaPLe-2 + DAPT &" in text


def test_typst() -> None:
    text = FORMATS["typst"](shown("a_b #x [y]"))
    assert r"[a\_b \#x \[y\]]" in text
    assert "#strong[61.23 ± 0.50]" in text
    assert "columns: 4" in text
    assert text.count("(") == text.count(")")


def csv_of(found: Shown) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(FORMATS["csv"](found))))


def test_csv_has_full_precision() -> None:
    rows = csv_of(shown('a "b", c'))
    assert [(row["method"], row["column"]) for row in rows] == [("maple", "16"), ('a "b", c', "16")]
    assert float(rows[1]["mean"]) == 61.234
    assert (rows[1]["difference"], rows[1]["p_holm"], rows[0]["difference"]) == ("1.2", "0.06", "")
    assert [row["against"] for row in rows] == ["", "host"]


def test_csv_says_what_differences_are_to_and_has_those_to_zero_shot() -> None:
    both = shown()
    found = Shown(both.grid, both.hosts, {"maple + DAPT": Difference(9.0, 9.0, 9.0, 1)})
    assert [(row["mean"], row["difference"], row["against"]) for row in csv_of(found)] == [
        ("60.0", "", ""),
        ("61.234", "1.2", "host"),
        ("61.234", "9.0", "zero-shot"),
    ]


def test_a_difference_stands_in_its_own_column_of_csv() -> None:
    grid = shown().grid
    grid.cells["maple + DAPT", "1"] = Cell(40.0)
    found = Shown(grid, {"maple + DAPT": Difference(2.0, 2.0, 2.0, 1, column="1")}, {})
    lines = [(row["column"], row["difference"]) for row in csv_of(found) if row["method"] == "maple + DAPT"]
    assert lines == [("1", "2.0"), ("16", "")]
