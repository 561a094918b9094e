"""What DAPT changes on base and novel classes, by pairs."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from dapt.errors import DataError
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools"))
from evidence_novel import collected, recognised, table


def row(method: str, seed: int, base: float, novel: float, *, dapt: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"method": method, "backbone": "local-dir:one", "data": "photos", "shots": 8, "seed": seed}
    found |= {"dapt": dapt, "set/dapt.variant": "swap" if dapt else None}
    mean = 2 * base * novel / (base + novel)
    return found | {"test/accuracy_base": base, "test/accuracy_novel": novel, "test/harmonic_mean": mean}


PAIRS = [
    *(row("coop", 1, 80, 40), row("coop", 1, 80, 50, dapt=True), row("coop", 2, 10, 10)),
    *(row("maple", 1, 60, 60), row("maple", 1, 60, 50, dapt=True), row("zero_shot", 1, 30, 20)),
]


def test_hosts_stand_beside_what_they_have_in_common_with_dapt() -> None:
    lines = table(collected(PAIRS), "swap").splitlines()[2:]
    assert lines[0] == "| one | coop | 1 | 80.0 | 40.0 | 53.3 | +0.0 | +10.0 | +8.2 | +8.2 |", "seed 2 has no partner"
    assert lines[2] == "| one | zero_shot |  | 30.0 | 20.0 | 24.0 |  |  |  |  |"
    assert lines[3] == "| all | all | 2 |  |  |  | +0.0 | +0.0 | +1.4 |  |"


def test_what_the_mean_is_without_a_host() -> None:
    last = table(collected(PAIRS), "swap", ["coop"]).splitlines()[-1]
    assert last == "| all | without coop | 1 |  |  |  | +0.0 | -10.0 | -5.5 |  |"
    with pytest.raises(DataError, match="nothing without coop, maple"):
        table(collected(PAIRS), "swap", ["coop", "maple"])


def test_what_was_recognised_is_said_once_for_each_seed() -> None:
    counts = {"counts/cue_recognised_whole": 107.0, "counts/cue_recognised_foreground": 75.0, "counts/cue_asked": 256.0}
    told = recognised([{**each, **counts} if each["dapt"] else each for each in PAIRS])
    assert told.endswith("by their foreground alone: one, seed 1: 107 and 75 of 256.")
    assert not recognised(PAIRS)


def test_mistakes_are_told() -> None:
    with pytest.raises(DataError, match=r"two runs of coop \(host\)"):
        collected([PAIRS[0], PAIRS[0]])
    with pytest.raises(DataError, match="No host has runs of 'joint'"):
        table(collected(PAIRS), "joint")
