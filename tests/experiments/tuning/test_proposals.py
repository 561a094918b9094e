"""What Optuna proposes, gives up and thinks that mattered."""

from __future__ import annotations

import pytest

from dapt.experiments.tuning.proposals import importances, is_poor, proposed
from dapt.experiments.tuning.study import DONE, PRUNED, RUNNING, Trial
from dapt.methods.search import Choice, Range, Space

pytest.importorskip("optuna")
SPACE: Space = {"lr": Range(1e-3, 1e-1, log=True), "epochs": Range(1, 9, whole=True), "n": Choice(("a", "b"))}


def searched(count: int) -> list[Trial]:
    trials: list[Trial] = []
    for number in range(count):
        values = proposed(SPACE, trials, 1, {"lr": 0.01, "n": "b"})
        trials.append(Trial(number, values, DONE, 100 - 900 * abs(values["lr"] - 0.03), [1.0 * number, 2.0 * number]))
    return trials


def test_proposals_follow_from_what_was_before() -> None:
    trials = searched(14)
    assert trials == searched(14)
    assert trials[0].values["lr"] == 0.01
    assert trials[0].values["n"] == "b"
    assert len({trial.values["lr"] for trial in trials}) == 14
    for trial in trials:
        assert 1e-3 <= trial.values["lr"] <= 1e-1
        assert trial.values["epochs"] in range(1, 10)
    assert proposed(SPACE, trials, 1, {}) != proposed(SPACE, trials, 2, {})


def test_trials_that_go_on_and_that_were_given_up_count() -> None:
    trials = searched(12)
    trials += [Trial(12, dict(trials[0].values), PRUNED, None, [3.0]), Trial(13, dict(trials[1].values), RUNNING)]
    assert set(proposed(SPACE, trials, 1, {})) == set(SPACE)


def test_who_does_worse_than_most_is_poor() -> None:
    trials = searched(6)  # 0, 2, ... 10 after their second epoch
    values = trials[0].values
    assert is_poor(SPACE, trials, values, [1.0, 4.0])
    assert not is_poor(SPACE, trials, values, [1.0, 6.0])
    assert not is_poor(SPACE, trials, values, [0.0]), "the first epoch warms up"
    assert not is_poor(SPACE, trials[:4], values, [0.0, 0.0]), "too few to tell"


@pytest.mark.long
def test_what_mattered() -> None:
    found = importances(SPACE, searched(25))
    assert next(iter(found)) == "lr"
    assert sum(found.values()) == pytest.approx(1)
    assert importances(SPACE, searched(3)) == {}
    alike = [Trial(number, trial.values, DONE, 50.0) for number, trial in enumerate(searched(10))]
    assert importances(SPACE, alike) == {}
