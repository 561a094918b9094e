"""Figures with two decimals."""

from __future__ import annotations

import pytest

from dapt.report.decimals import decimal, signed


@pytest.mark.parametrize(
    ("value", "plain", "with_sign"),
    [(61.234, "61.23", "+61.23"), (-1.2, "-1.20", "-1.20"), (-1e-14, "0.00", "+0.00"), (-0.0049, "0.00", "+0.00")],
)
def test_what_rounds_to_zero_has_no_minus(value: float, plain: str, with_sign: str) -> None:
    assert (decimal(value), signed(value)) == (plain, with_sign)
