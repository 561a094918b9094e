"""A trial on its own: what it leaves, and when it is given up."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.experiments.executors.base import Job
from dapt.experiments.tuning.study import DONE, Trial
from dapt.experiments.tuning.trial import PrunedError, epochs_of, task_of
from dapt.methods.search import Range, Space
from helpers import make_folder

pytest.importorskip("optuna")
SPACE: Space = {"lr": Range(1e-3, 1e-1)}


def test_a_poor_one_is_given_up_and_goes_on_where_it_was(tmp_path: Path, tiny_spec: str) -> None:
    for number, split in enumerate(("train", "val")):
        make_folder(tmp_path / "data" / split, per_class=2, classes=2, first=100 * number)
        (tmp_path / "data" / f"{split}-masks").rename(tmp_path / f"{split}-masks")
    out = tmp_path / "trial"
    config = make_config(
        {"data": str(tmp_path / "data"), "model": tiny_spec, "method": "coop", "epochs": 3, "shots": 1, "out": str(out)}
    )
    good = [Trial(number, {"lr": 0.01}, DONE, 101.0, [101.0] * 3) for number in range(5)]
    trial = Trial(5, {"lr": 0.02})
    task = pickle.loads(pickle.dumps(task_of(trial, SPACE, good, prune=True)))
    with pytest.raises(PrunedError, match="epoch 2"):
        task(Job("trial", config))
    assert len(epochs_of(out)) == 2
    assert pickle.loads(pickle.dumps(PrunedError("x"))).what == "x"
    results = task_of(trial, SPACE, good, prune=False)(Job("trial", config))
    assert len(epochs_of(out)) == 3
    assert results.metrics["val/accuracy"] == pytest.approx(epochs_of(out)[-1])


def test_what_has_not_begun_has_no_epochs(tmp_path: Path) -> None:
    assert epochs_of(tmp_path / "absent") == []
