"""Tensors with a row for each training feature: a model that is loaded has as many rows as the one that was saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from dapt.errors import ModelError


def empty_rows(own: Tensor, saved: Mapping[str, Any], name: str) -> Tensor | None:
    """Zeros ``[n, D]`` for the rows that are about to be loaded; None where `own` has as many, or there are none.

    Args:
        own: ``[m, D]``. saved: tensors by name.
    """
    rows = saved.get(name)
    if isinstance(rows, Tensor) and rows.dim() == 2 and len(rows) != len(own):
        return own.new_zeros(len(rows), own.shape[1])
    return None


def check_rows(count: int | None, rows: Tensor | None, whole: str, of: str) -> None:
    """Refuse a saved model whose rows are not as many as its options say.

    Args:
        count: what they say; None: nothing. rows: those that are there. whole, of: names of both, for the message.

    Raises:
        ModelError: they are more or fewer.
    """
    there = 0 if rows is None else len(rows)
    if count is not None and (rows is None or there != count):
        raise ModelError(f"The saved {whole} is said to have {count} {of}, and has {there}.")
