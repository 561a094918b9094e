"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def arguments(table: Path, tmp_path: Path) -> list[object]:
    """The arguments of a run that takes a second, into tmp_path/r."""
    return ["train", table, "--model", "demo", "--depth", 3, "--epochs", 1, "--shots", 4, "--out", tmp_path / "r"]
