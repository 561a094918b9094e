"""Whether DAPT gains nothing where foregrounds are recognised no better than whole images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from dapt.errors import DataError
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools"))
import evidence_guard
from evidence_guard import Trial, correlations, main, table, trials


def rows(seed: int, gained: float, ahead: float, cue: str = "masks", **changes: Any) -> list[dict[str, Any]]:
    """A host and a run with DAPT, and the audits of both."""
    same = {"method": "maple", "backbone": "one", "data": "photos", "shots": 8, "seed": seed, "set/epochs": 10.0}
    host = {**same, "dapt": False, "cue": None}
    own = {**same, "dapt": True, "cue": cue, "set/dapt.variant": "swap"}
    asked = {"counts/cue_recognised_whole": 30.0, "counts/cue_recognised_foreground": 30.0 + ahead, **changes}
    audit = {"kind": "evaluation", "audit/bg_gap": 0.0, "audit/mixed_rand": 50.0}
    return [
        {**host, **audit, "audit/original": 50.0},
        {**own, "kind": "run", **asked},
        {**own, **audit, "audit/original": 50.0 + 2 * gained},
    ]


def test_what_was_recognised_is_set_beside_the_gain() -> None:
    found = trials(rows(1, 4.0, 7.0) + rows(2, -3.0, -2.0, "random"), "swap")
    assert sorted(found, key=lambda trial: trial.cue) == [
        Trial("maple", "masks", 7.0, 4.0),
        Trial("maple", "random", -2.0, -3.0),
    ]


def test_other_settings_and_runs_that_were_not_asked_are_left_out() -> None:
    assert not trials(rows(1, 4.0, 7.0), "joint")
    assert not trials(rows(1, 4.0, 7.0, **{"counts/cue_recognised_whole": None}), "swap")
    assert not trials(rows(1, 4.0, 7.0)[1:], "swap")


def test_groups_by_cue_and_by_sign() -> None:
    lines = table(
        [Trial("maple", "masks", 7.0, 4.0), Trial("maple", "masks", 5.0, 2.0), Trial("maple", "random", 0.0, -3.0)]
    ).splitlines()[2:]
    assert lines == [
        "| cue: masks | 2 | +6.0 | +3.0 |",
        "| cue: random | 1 | +0.0 | -3.0 |",
        "| foregrounds recognised better | 2 | +6.0 | +3.0 |",
        "| no better | 1 | +0.0 | -3.0 |",
    ]


def test_too_few_are_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_guard, "rows_of", lambda store: rows(1, 4.0, 7.0))
    with pytest.raises(DataError, match="There are 1 runs of 'swap'"):
        main([str(tmp_path)])


def test_correlations_over_all_and_over_hosts_with_several_cues() -> None:
    found = [Trial("maple", "masks", 7.0, 4.0), Trial("maple", "random", -2.0, -3.0), Trial("coop", "masks", 6.0, 9.0)]
    whole, own = correlations(found)
    assert "over all runs (3): +0." in whole
    assert own == "Correlation of the two columns over those of maple, which has several cues (2): +1.00."
    assert len(correlations(found[:2])) == 1, "one host is all of them"
    assert not correlations(found[:1])
