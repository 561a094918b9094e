"""Tables on terminals wide and narrow."""

from __future__ import annotations

import pytest

from dapt.report.tables.formats import Shown
from dapt.report.tables.grid import Cell, Grid
from dapt.report.tables.significance import Difference
from dapt.report.tables.terminal import print_rich

NAME = "PromptSRC + DAPT (phased, border) [bold]"


def shown(columns: tuple[str, ...] = ("base", "novel", "HM")) -> Shown:
    cells = {(row, column): Cell(70.76, 10.75, 3, rank=1) for row in ("PromptSRC", NAME) for column in columns}
    grid = Grid("t", ["PromptSRC", NAME], list(columns), cells, main=columns[-1], notes=["A note."])
    gaps = {NAME: Difference(-10.98, -16.96, 12.5, 3, 1.0, 1.0)}
    return Shown(grid, gaps, gaps)


def lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wide: int, found: Shown) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(wide))
    print_rich(found)
    return capsys.readouterr().out.split("\n")


def words(printed: list[str]) -> set[str]:
    return set(" ".join(printed).replace("│", " ").split())


def test_on_one_line_where_there_is_room(capsys, monkeypatch) -> None:
    out = lines(capsys, monkeypatch, 200, shown())
    row = next(line for line in out if NAME in line)
    assert "70.76 ± 10.75" in row
    assert "-10.98 [-16.96, 12.50] p 1.000" in row
    assert "A note." in out


@pytest.mark.parametrize("wide", [80, 60, 30])
@pytest.mark.parametrize("columns", [("base", "novel", "HM"), ("1", "2", "4", "8", "16")])
def test_no_number_and_no_word_is_broken(capsys, monkeypatch, wide: int, columns: tuple[str, ...]) -> None:
    out = lines(capsys, monkeypatch, wide, shown(columns))
    whole = {"PromptSRC", "(phased,", "border)", "[bold]", "70.76", "-10.98", "[-16.96,", "12.50]", "1.000"}
    assert whole <= words(out)
    assert "± 10.75" in "".join(out), "a spread is not parted from its sign"
    assert all(line.endswith(("│", "┃", "┓", "┩", "┘")) for line in out if line[:1] in tuple("│┃┏┡└")), "nothing is cut"
    if wide == 80 and len(columns) == 3:
        assert max(map(len, out)) <= 80


def test_names_of_one_monstrous_word_are_folded(capsys, monkeypatch) -> None:
    grid = Grid("t", ["x" * 300], ["a"], {("x" * 300, "a"): Cell(1.0)}, main="a")
    assert max(map(len, lines(capsys, monkeypatch, 80, Shown(grid, {}, {})))) <= 80
