"""The rows of a table are no more than can be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read import table
from dapt.data.read.table import Table, within_limits
from dapt.errors import DataError


def test_columns() -> None:
    found = Table(Path("x.csv"), ["a", "b"], [(2, {"a": "1"}), (3, {"a": "2", "b": "y"})])
    assert found.column("a") == ["1", "2"]
    assert found.column("b") == ["", "y"]


def test_columns_that_come_with_the_rows_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects of JSON lines may each bring others."""
    monkeypatch.setattr(table, "CSV_COLUMNS", 3)
    columns: list[str] = []

    def rows():
        for number in range(9):
            columns.append(str(number))
            yield number, {}

    with pytest.raises(DataError, match="has 4 columns"):
        list(within_limits(rows(), columns, Path("x.jsonl")))
