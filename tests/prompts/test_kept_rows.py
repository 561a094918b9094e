"""Rows that are loaded: as many as were saved."""

from __future__ import annotations

import pytest
import torch

from dapt.errors import ModelError
from dapt.prompts.kept_rows import check_rows, empty_rows


def test_as_many_as_are_loaded() -> None:
    own = torch.ones(2, 3, dtype=torch.float64)
    found = empty_rows(own, {"a.rows": torch.ones(5, 3)}, "a.rows")
    assert found is not None
    assert torch.equal(found, torch.zeros(5, 3, dtype=torch.float64))
    for saved in ({}, {"a.rows": torch.ones(2, 3)}, {"a.rows": torch.ones(5)}, {"a.rows": "x"}):
        assert empty_rows(own, saved, "a.rows") is None


def test_other_numbers_than_the_options_say_are_refused() -> None:
    check_rows(None, None, "cache", "keys")
    check_rows(2, torch.ones(2, 3), "cache", "keys")
    for rows, there in ((None, 0), (torch.ones(1, 3), 1)):
        with pytest.raises(ModelError, match=f"The saved cache is said to have 2 keys, and has {there}"):
            check_rows(2, rows, "cache", "keys")
