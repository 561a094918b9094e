"""Dotted settings as a nested mapping, and values that mean the same."""

from __future__ import annotations

from typing import Any

import pytest

from dapt.errors import ConfigError
from dapt.experiments.grid.nested import comes_to, nested


def test_no_section() -> None:
    with pytest.raises(ConfigError, match=r"'cue.cells': cue is 3"):
        nested({"cue": 3, "cue.cells": 1})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("seed", [1, 1.0, "1"]),
        ("lr", [1, 1.0, "1e0"]),
        ("precision", [32, "32"]),
        ("dapt", [True, {"enabled": True}, {}]),
        ("dapt.margin", [1, 1.0, "1"]),
        ("cue", ["border", {"source": "border"}]),
        ("prompt.n_ctx", [4, 4.0, "4"]),
        ("crop_scale", [[0, 1], [0.0, 1.0]]),
        ("protocol", ["few-shot", "few_shot"]),
    ],
)
def test_values_that_mean_the_same(name: str, values: list[Any]) -> None:
    assert len({comes_to(name, value) for value in values}) == 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("seed", [1, 2, 1.5, "x", None, True]),
        ("data", ["1", "1.0"]),
        ("dapt", [True, False, 1, "joint", {"margin": 3.0}]),
        ("prompt.n_ctx", [4, 5, True]),
        ("method", ["coop", "maple"]),
    ],
)
def test_values_that_do_not(name: str, values: list[Any]) -> None:
    assert len({comes_to(name, value) for value in values}) == len(values)
