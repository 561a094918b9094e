"""Settings of training that change nothing in a run are told in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dapt.config import RunConfig, make_config, make_saved_config
from dapt.runs.idle_settings import idle_settings
from dapt.runs.prepare import prepare
from dapt.runs.run_data import load_run_data
from helpers import tiny_clip

STEPS = {"optimizer": "lion", "schedule": "one_cycle", "stop_margin": 0.1, "lr_rule": "sqrt", "batch_size": 2}
VIEWS = {"crop_scale": [0.5, 1.0], "flip": 0.0, "eval_batch_size": 2, "seed": 3}  # random views follow them


def config(method: str = "gda", **given: Any) -> RunConfig:
    return make_config({"data": "-", "method": method, **given})


@pytest.mark.parametrize("method", ["gda", "linear_probe", "lp_plus", "tip_adapter", "zero_shot"])
def test_what_cannot_act_without_steps_is_named(method: str) -> None:
    told = f"{method} has no training steps."
    assert idle_settings(config(method, **STEPS)) == (
        f"batch_size, optimizer, lr_rule, schedule and stop_margin change nothing: {told}"
    )
    assert idle_settings(config(method, epochs=3)) == f"epochs changes nothing: {told}"
    assert idle_settings(config(method, lr=1.0, stop_share=0.5)) == f"lr and stop_share change nothing: {told}"
    assert idle_settings(config(method, **VIEWS)) is None


@pytest.mark.parametrize("given", [{}, {"epochs": 0}, {"epochs": None}, {"optimizer": "sgd"}, {"stop_share": 0.95}])
def test_nothing_is_said_of_what_was_not_changed(given: dict[str, Any]) -> None:
    assert idle_settings(config(**given)) is None


def test_nothing_is_said_of_a_saved_run() -> None:
    saved = config().model_dump()
    assert idle_settings(make_saved_config(saved)) is None
    assert idle_settings(make_config(saved)) is None


def test_a_share_without_a_margin() -> None:
    assert idle_settings(config("coop", **STEPS, stop_share=0.5, epochs=3)) is None
    assert idle_settings(config("coop", epochs=3, lr=1.0)) is None
    assert idle_settings(config("coop", stop_share=0.5)) == (
        "stop_share changes nothing without stop_margin: all epochs are trained."
    )


def test_a_run_says_it_once(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"data": str(photos), "method": "zero_shot", "shots": 1, "device": "cpu", "epochs": 3, "lr": 1.0}
    run = make_config(given)
    prepare(run, load_run_data(run), tiny_clip())
    assert capsys.readouterr().err.count("epochs and lr change nothing: zero_shot has no training steps.") == 1
