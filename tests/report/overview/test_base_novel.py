"""Base against novel accuracy."""

from __future__ import annotations

import pytest
from made_up import material, run

from dapt.report.overview.base_novel import base_novel, isolines


def test_lines_have_one_harmonic_mean_and_stay_in_the_frame() -> None:
    lines = isolines((40.0, 20.0), (80.0, 70.0))
    assert len(lines) > 3
    for mean, xs, ys in lines:
        for x, y in zip(xs, ys, strict=True):
            assert 2 * x * y / (x + y) == pytest.approx(mean)
            assert 20 <= y <= 70


def test_points_of_rows_that_have_both() -> None:
    both = {"test/accuracy_base": 80.0, "test/accuracy_novel": 60.0}
    rows = [run(subset="base", **both), run(subset="base", method="clap", **{"test/accuracy_base": 70.0})]
    (chart,) = base_novel(material(rows)).charts
    assert list(chart.rows) == [("MaPLe", "80.00", "60.00", "68.57")]
    assert "<svg" in chart.svg()
    assert not base_novel(material([run()])).shown
