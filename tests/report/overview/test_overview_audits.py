"""Bars of audits."""

from __future__ import annotations

from made_up import material, run

from dapt.report.overview.audits import VARIANTS, audits
from dapt.report.tables.audits import COLUMNS


def test_bars_of_each_model_and_what_was_not_measured() -> None:
    figures = dict.fromkeys(COLUMNS.values(), 40.0)
    rows = [run(kind="audit", **figures), run(kind="audit", method="coop", **{**figures, "audit/only_fg": None})]
    (chart,) = audits(material(rows)).charts
    assert chart.head == ("method", *VARIANTS)
    assert list(chart.rows) == [("MaPLe", *["40.00"] * 5), ("CoOp", "40.00", "–", "40.00", "40.00", "40.00")]
    assert "<svg" in chart.svg()


def test_without_audits() -> None:
    assert "dapt audit" in audits(material([run()])).missing
