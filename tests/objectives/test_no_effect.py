"""Settings of DAPT that change nothing are told."""

from __future__ import annotations

from typing import Any

import pytest

from dapt.config import DaptOptions, make_config
from dapt.model.build import build_model
from dapt.model.needs import Trainable
from dapt.objectives.build import build_objectives
from dapt.objectives.disentangle import Disentangle
from dapt.objectives.no_effect import without_effect
from helpers import tiny_clip


def told(epochs: int = 10, **given: Any) -> list[str]:
    options = DaptOptions(enabled=True, **given)
    everything = Trainable(class_texts=True, background_texts=True, image=True)
    return without_effect(Disentangle(options, everything), epochs)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"switch": 0.1}, "dapt.switch=0.1 changes nothing: dapt.variant=swap has no switch"),
        ({"variant": "ramp", "switch": 0.1}, "dapt.variant=ramp has no switch"),
        ({"words": ["a"]}, "L_b teaches nothing: there is one background word"),
        ({"word_count": 1}, "L_b teaches nothing: there is one background word"),
        ({"words": "auto", "chosen_words": ["moss"]}, "L_b teaches nothing: there is one background word"),
        ({"margin": 99}, "dapt.margin=99 is more than two features of unit length can be apart (2)"),
        ({"margin": 2.5, "visual_space": "classes"}, "dapt.margin=2.5 is more"),
    ],
)
def test_what_changes_nothing_is_told(given: dict[str, Any], message: str) -> None:
    (sentence,) = told(**given)
    assert message in sentence


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"variant": "phased", "switch": 0.1},
        {"variant": "released", "switch": 0.5},
        {"words": ["a", "b"]},
        {"words": ["a"], "background_weight": 0},
        {"words": "auto"},
        {"margin": 2.0},
        {"margin": 99, "visual_weight": 0},
        {"margin_kind": "relative", "margin": 1.0},
    ],
)
def test_what_changes_something_or_is_not_read_is_not(given: dict[str, Any]) -> None:
    assert told(**given) == []


def test_a_training_of_no_epochs_has_no_terms() -> None:
    assert told(0, words=["a"], margin=9) == []


def test_a_run_warns(capsys: pytest.CaptureFixture[str]) -> None:
    given = {"data": "-", "method": "maple", "prompt": {"depth": 2}, "dapt": {"margin": 9, "switch": 0.2}}
    config = make_config(given)
    build_objectives(config, build_model(config, tiny_clip(), ["cat", "dog"]))
    said = " ".join(capsys.readouterr().err.split())
    assert "dapt.margin=9 is more than" in said
    assert "dapt.switch=0.2 changes nothing" in said
