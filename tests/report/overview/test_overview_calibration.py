"""Accuracy by confidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up import in_folder, material, run

from dapt.report.overview.calibration import bins_of, calibration

BINS = [{"images": 10, "confidence": 50.0, "accuracy": 40.0}, {"images": 2, "confidence": 90.0, "accuracy": 100.0}]


def test_bins_of_several_runs_are_one() -> None:
    other = [{"images": 30, "confidence": 52.0, "accuracy": 60.0}, {"confidence": 1.0}, "x"]
    (row,) = bins_of([BINS, other, None])
    assert row == (pytest.approx(51.5), pytest.approx(55.0), 40)


def test_a_diagram(tmp_path: Path) -> None:
    row = run(run=in_folder(tmp_path / "a", {"calibration": BINS}), **{"test/calibration_error": 8.25})
    (chart,) = calibration(material([row])).charts
    assert list(chart.rows) == [("MaPLe", "50", "40.0", "10")]
    assert "MaPLe 8.2" in chart.says
    assert "<svg" in chart.svg()
    assert "older versions" in calibration(material([run()])).missing
