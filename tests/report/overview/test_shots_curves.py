"""Accuracy by shots."""

from __future__ import annotations

import pytest
from made_up import material, pair, run

from dapt.report.overview.shots_curves import few, interval, shots_curves
from dapt.report.tables.grid import Cell


def test_a_curve_for_each_row_with_its_figures() -> None:
    (chart,) = shots_curves(material(pair())).charts
    assert chart.head == ("method", "1", "16")
    assert chart.rows[1] == ("MaPLe + DAPT", "55.50 ± 0.69", "70.50 ± 0.69")
    assert "<svg" in chart.svg()


def test_one_number_of_shots_is_no_curve() -> None:
    part = shots_curves(material([run()]))
    assert not part.shown
    assert "several numbers of shots" in part.missing


def test_intervals() -> None:
    assert interval(Cell(50.0, 2.0, 4)) == pytest.approx(1.96)
    assert interval(Cell(50.0)) == 0.0


def test_rows_that_a_chart_shows() -> None:
    rows = ["Zero-shot CLIP", "A", "A + DAPT (x)", "A + DAPT (y)", "B", "B + DAPT (x)"]
    figures = {"A + DAPT (x)": 1.0, "A + DAPT (y)": 2.0, "B + DAPT (x)": 1.0}
    assert few(rows, figures, 4) == ["A", "A + DAPT (y)", "B", "B + DAPT (x)"]
    assert few(rows, figures, 5) == ["A", "A + DAPT (x)", "A + DAPT (y)", "B", "B + DAPT (x)"]
    assert few(rows, {}, 9) == rows
