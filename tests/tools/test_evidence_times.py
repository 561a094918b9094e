"""What an epoch costs with DAPT and without it: medians of paired ratios."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from dapt.errors import DataError
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools"))
from evidence_times import HOST, table


def rows(seed: int, host: float, own: float, epochs: int = 10) -> list[dict[str, Any]]:
    """A host and a run with DAPT, ten epochs, and the audits of both; seconds are those of an epoch."""
    same = {"method": "maple", "backbone": "local-dir:one", "data": "photos", "shots": 8, "seed": seed}
    found = []
    for dapt, seconds, count in ((False, host, epochs), (True, own, 10)):
        run = {**same, "dapt": dapt, "cue": "masks" if dapt else None, "set/epochs": float(count)}
        run |= {"set/dapt.variant": "swap"} if dapt else {}
        audit = {"audit/original": 50.0, "audit/mixed_rand": 50.0, "audit/bg_gap": 0.0}
        times = {"timing/seconds_per_epoch": seconds, "timing/training_seconds": seconds * count}
        found += [{**run, "kind": "run", **times}, {**run, "kind": "evaluation", **audit}]
    return found


def test_medians_with_the_least_and_the_greatest() -> None:
    found = [each for seed, own in enumerate((4.0, 6.0, 40.0)) for each in rows(seed, 2.0, own)]
    lines = table(found, "swap", HOST).splitlines()[2:]
    assert lines[0] == "| one | maple | 3 | 2.0 | 6.0 | 3.0× (2.0–20.0) | 3.0× (2.0–20.0) |"
    assert lines[1] == "| all | all | 3 |  |  | 3.0× (2.0–20.0) | 3.0× (2.0–20.0) |"


def test_a_host_of_more_epochs_is_compared_by_the_whole_training() -> None:
    found = rows(1, 2.0, 5.0, epochs=20) + rows(2, 2.0, 5.0)
    (line,) = table(found, "swap", "host 20 epochs").splitlines()[2:-1]
    assert line == "| one | maple | 1 | 2.0 | 5.0 | 2.5× (2.5–2.5) | 1.2× (1.2–1.2) |"


def test_runs_without_times_are_no_table() -> None:
    found = [{key: value for key, value in each.items() if "timing" not in key} for each in rows(1, 2.0, 4.0)]
    with pytest.raises(DataError, match="No host has times of runs of 'swap'"):
        table(found, "swap", HOST)
