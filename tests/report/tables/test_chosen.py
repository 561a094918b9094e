"""Runs that a report is about."""

from __future__ import annotations

import math

import pytest

from dapt.errors import ConfigError, DataError
from dapt.report.tables.chosen import chosen

ROWS = [
    {"method": "coop", "dapt": False, "set/lr": 0.01, "shots": 4, "cue": None},
    {"method": "coop", "dapt": True, "set/lr": 0.002, "shots": 4, "cue": "masks"},
    {"method": "maple", "dapt": True, "set/lr": math.nan, "shots": 16, "cue": "border"},
]


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        ([], [0, 1, 2]),
        (["method=coop"], [0, 1]),
        (["method=coop", "dapt=true"], [1]),
        (["lr=0.01"], [0]),
        (["set/lr="], [2]),
        (["shots=4, 16"], [0, 1, 2]),
        (["cue=masks,border"], [1, 2]),
        (["lr=1e-2"], [0]),
        (["lr=2e-3,.01"], [0, 1]),
        (["dapt=True"], [1, 2]),
    ],
)
def test_conditions(conditions: list[str], left: list[int]) -> None:
    assert chosen(ROWS, conditions) == [ROWS[place] for place in left]


def test_a_value_that_no_run_has_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(chosen(ROWS, ["shots=4,99"])) == 2
    assert "no run has 99. They have 16, 4." in capsys.readouterr().err


def test_what_cannot_be_meant() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'method'"):
        chosen(ROWS, ["metod=coop"])
    with pytest.raises(ConfigError, match="is no condition"):
        chosen(ROWS, ["coop"])
    with pytest.raises(DataError, match=r"No run is left with cue=gradcam.\nThey have border, masks, none"):
        chosen(ROWS, ["cue=gradcam"])
