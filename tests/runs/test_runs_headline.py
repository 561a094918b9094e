"""The first line of a run."""

from __future__ import annotations

from typing import Any

from dapt.config import make_config
from dapt.model.build import build_model
from dapt.runs.headline import headline
from helpers import tiny_clip


def line(**given: Any) -> str:
    config = make_config({"data": "-", "model": "tiny", **given})
    return headline(config, build_model(config, tiny_clip(), ["ant", "bee"]))


def test_a_method_that_is_trained_in_steps() -> None:
    said = line(method="coop", n_ctx=2, epochs=50, batch_size=8, lr_rule="sqrt", lr=0.001)
    assert said.startswith("coop on tiny: ")
    assert said.endswith(f"trainable parameters, 2 classes, 50 epochs, batch 8, lr {0.001 * (8 / 32) ** 0.5:g}, cpu")


def test_a_method_without_steps_has_no_epochs_batch_and_rate() -> None:
    said = line(method="zero_shot", lr_rule="sqrt", batch_size=2)
    assert said == "zero_shot on tiny: 0 trainable parameters, 2 classes, no training steps, cpu"
