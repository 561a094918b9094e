"""What DAPT's settings are called."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dapt.config import make_config
from dapt.dapt_names import dapt_name, departures, run_title, settings_name
from dapt.dapt_options import DaptOptions


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "swap"),
        ({"fill": "mean"}, "swap, fill=mean"),
        ({"variant": "swap", "fill": "exchange"}, "swap"),
        ({"variant": "symmetric", "fill": "exchange", "warmup": 0.3}, "symmetric, fill=exchange, warmup=0.3"),
        ({"variant": "phased", "margin": 1}, "phased, margin=1"),
        ({"variant": "phased", "switch": 0.5}, "phased, switch=0.5"),
        ({"switch": 0.1}, "swap"),  # it has none
        ({"views": "attention"}, "swap, views=attention"),
        ({"words": ["grass", "sky"]}, "swap, words=[grass, sky]"),
        ({"words": ["grass", "sky", "sea", "road", "moss"]}, "swap, words=[grass, sky, sea, ... 5 in all]"),
        ({"words": "auto", "chosen_words": ["moss"]}, "swap, words=auto"),
        ({"diagnose": True, "foreground_gradient": False}, "swap, foreground_gradient=False"),
    ],
)
def test_a_variant_is_told_with_what_was_changed_of_it(given: dict[str, Any], name: str) -> None:
    options = DaptOptions(enabled=True, **given)
    assert dapt_name(options) == f"DAPT ({name})"
    assert settings_name(options.model_dump(mode="json")) == name


def test_settings_of_a_table_have_lists_as_texts_and_gaps() -> None:
    row = DaptOptions(variant="joint").model_dump(mode="json")
    row |= {"words": json.dumps(row["words"]), "margin": float("nan"), "soften": None, "template": "see {}"}
    del row["fill"]
    assert settings_name(row) == "joint, template=see {}"
    assert departures({**row, "warmup": 0.5}, only=("warmup", "fill")) == ["warmup=0.5"]
    assert settings_name({"variant": "of another version", "margin": 3}) == "of another version"


def test_what_a_run_is_called() -> None:
    assert run_title(make_config({"data": "-", "method": "coop"})) == "coop"
    config = make_config({"data": "-", "method": "coop", "dapt": {"fill": "mean"}})
    assert run_title(config) == "coop + DAPT (swap, fill=mean)"
