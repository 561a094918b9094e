"""Every default of a setting, a method and a constant stands in one table with its source, and in no other way.

A default that changes, goes or comes needs its row in `published_defaults.json` changed, removed or written, with the
paper, the released file or the reason it comes from.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from defaults import REQUIRED, TABLE, defaults

from dapt.config import RunSettings, make_config
from dapt.methods.base import METHODS

ROWS: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
FOUND = defaults()


def test_every_row_has_one_key_and_a_source() -> None:
    keys = [row["key"] for row in ROWS]
    assert len(set(keys)) == len(keys)
    for row in ROWS:
        assert set(row) == {"key", "value", "source"}, row
        assert len(row["source"].strip()) >= 5, row["key"]


def test_no_default_without_a_row_and_no_row_without_a_default() -> None:
    written = {row["key"] for row in ROWS}
    assert sorted(FOUND.keys() - written) == [], "write a row with a source for each of them"
    assert sorted(written - FOUND.keys()) == [], "these are gone from the code"


def test_every_default_is_the_written_one() -> None:
    different = {
        row["key"]: (FOUND[row["key"]], row["value"], row["source"])
        for row in ROWS
        if row["key"] in FOUND
        and (FOUND[row["key"]] != row["value"] or type(FOUND[row["key"]]) is not type(row["value"]))
    }
    assert different == {}


def value(key: str) -> Any:
    return next(row["value"] for row in ROWS if row["key"] == key)


@pytest.mark.parametrize(
    ("key", "published"),
    [
        ("dapt.margin", 1.5),
        ("dapt.visual_weight", 0.8),
        ("dapt.foreground_weight", 0.1),
        ("dapt.background_weight", 0.5),
        ("dapt.switch", 0.7),
        ("cue.threshold", 0.5),
        ("run.momentum", 0.9),
        ("run.warmup_lr", 1e-5),
        ("run.flip", 0.5),
        ("run.crop_scale", [0.08, 1.0]),
        ("run.model_selection", "last"),
        ("methods.maple.training.lr", 0.0035),
        ("methods.maple.options.depth", 9),
        ("methods.coop.training.epochs_by_shots", {"1": 50, "4": 100, "16": 200}),
        ("methods.kgcoop.options.knowledge_weight", 8.0),
        ("methods.promptsrc.options.gpa_mean", 15.0),
        ("methods.promptkd.options.kd_weight", 1000.0),
        ("templates.zero_shot.dtd", "{} texture."),
    ],
)
def test_the_table_itself_says_what_was_published(key: str, published: Any) -> None:
    """Once more by hand, so that a table made anew from changed code is noticed."""
    assert value(key) == published


def test_the_table_covers_every_method_and_setting() -> None:
    for name in METHODS.names():
        assert f"methods.{name}.training.lr" in FOUND
    assert {f"run.{name}" for name in RunSettings.model_fields} <= FOUND.keys()
    assert [row["key"] for row in ROWS if row["value"] == REQUIRED] == ["run.data"]


@pytest.mark.parametrize("name", METHODS.names())
def test_a_run_gets_the_settings_of_its_method(name: str) -> None:
    """What the table says reaches the configuration of a run."""
    config = make_config({"data": "-", "method": name})
    training = {
        row["key"].rpartition(".")[2]: row["value"]
        for row in ROWS
        if row["key"].startswith(f"methods.{name}.training.")
    }
    for key in ("lr", "batch_size", "optimizer", "weight_decay", "warmup_epochs"):
        assert getattr(config, key) == training[key], key
    limits = sorted(int(shots) for shots in training["epochs_by_shots"])
    for shots in (0, 1, 2, 3, 4, 5, 8, 16, 17):
        limit = next((str(most) for most in limits if 0 < shots <= most), None)
        expected = training["epochs"] if limit is None else training["epochs_by_shots"][limit]
        assert make_config({"data": "-", "method": name, "shots": shots}).epochs == (
            expected if METHODS.get(name).trains else 0
        )


@pytest.mark.parametrize("name", METHODS.names())
def test_what_is_said_goes_before_what_was_published(name: str) -> None:
    given = {"lr": 0.5, "batch_size": 3, "optimizer": "adamw", "weight_decay": 0.0, "warmup_epochs": 0, "epochs": 0}
    config = make_config({"data": "-", "method": name, **given})
    assert {key: getattr(config, key) for key in given} == given
