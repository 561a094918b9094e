"""Which settings decide a run: keys that came later change nothing by default, and chosen words are remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dapt.config import make_config
from dapt.config_text import to_yaml
from dapt.errors import ConfigError
from dapt.runs.run_folder import RunFolder
from dapt.runs.run_settings import (
    LATER_DAPT,
    LATER_KEYS,
    first_difference,
    result_settings,
    with_words_of,
    without_later,
)

BARE = {"data": "photos", "method": "coop"}
LATER = {*LATER_KEYS, *LATER_DAPT, "features_mb"}
AUTO = {**BARE, "dapt": {"words": "auto"}}


def test_later_keys_of_dapt_are_not_there_by_default() -> None:
    """Of the variants that there were before them; the default of today has a warm-up, and L_v by the scale."""
    as_before = {"variant": "phased", "visual_scale": "raw"}
    assert not set(result_settings(make_config({**BARE, "dapt": as_before}))["dapt"]) & {*LATER_DAPT, "chosen_words"}
    usual = set(result_settings(make_config({**BARE, "dapt": True}))["dapt"]) & {*LATER_DAPT, "chosen_words"}
    assert usual == {"visual_scale", "warmup"}


@pytest.mark.parametrize(
    "change",
    [
        {"soften": 0.1},
        {"crops": "both"},
        {"background_label": "cue"},
        {"min_area": 0.1},
        {"max_area": 0.9},
        {"trust": "score"},
        {"words": "auto"},
    ],
)
def test_later_keys_decide_where_they_change_something(change: dict[str, Any]) -> None:
    assert result_settings(make_config({**BARE, "dapt": change})) != result_settings(
        make_config({**BARE, "dapt": True})
    )


def test_runs_from_before_a_key_of_their_own_are_the_same(tmp_path: Path) -> None:
    """A run.yaml of a version without `features` holds neither it nor how much of them is kept."""
    plain, more = make_config(BARE), make_config({**BARE, "features_mb": 10})
    assert result_settings(plain) == result_settings(more), "none are kept"
    assert not {"features", "features_mb", "matte"} & set(result_settings(plain))
    kept = make_config({**BARE, "features": "auto", "features_mb": 10})
    assert {"features", "features_mb"} <= set(result_settings(kept))
    assert first_difference("features", None, "auto") == ("features", "off", "auto")


def test_options_of_training_that_came_later_tell_nothing_apart_where_they_are_off() -> None:
    plain = result_settings(make_config(BARE))
    assert not {"schedule", "lr_rule", "stop_margin", "stop_share"} & set(plain)
    assert result_settings(make_config({**BARE, "stop_share": 0.5})) == plain, "nothing stops"
    for change in ({"schedule": "one_cycle"}, {"lr_rule": "sqrt"}, {"stop_margin": 0.5}):
        found = result_settings(make_config({**BARE, **change}))
        assert set(change) <= set(found)
        (key, value), *_ = change.items()
        assert first_difference(key, plain.get(key), found[key])[2] == value
    some, more = (result_settings(make_config({**BARE, "stop_margin": 0.5, "stop_share": s})) for s in (0.5, 0.9))
    assert some != more


def test_a_tree_without_a_section_is_left_alone() -> None:
    assert without_later({"dapt": True, "a": 1}) == {"dapt": True, "a": 1}
    assert without_later({"a": 1}) == {"a": 1}


def test_the_setting_that_differs_is_named_with_its_section() -> None:
    assert first_difference("lr", 1, 2) == ("lr", 1, 2)
    assert first_difference("dapt", {"a": 1, "trust": "score"}, {"a": 1}) == ("dapt.trust", "score", "none")
    assert first_difference("cue", {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}) == ("cue.a.c", None, 2)
    assert first_difference("dapt", {"a": 1}, None) == ("dapt", {"a": 1}, None)


def test_words_that_were_chosen_are_taken_over() -> None:
    config = make_config(AUTO)
    before = {"dapt": {"words": "auto", "chosen_words": ["moss", "sky"]}}
    assert with_words_of(config, before).dapt.used_words == ["moss", "sky"]
    for other in ({}, {"dapt": True}, {"dapt": {"words": ["a"]}}, {"dapt": {"words": "auto"}}):
        assert with_words_of(config, other).dapt.chooses_words
    own = make_config({**BARE, "dapt": {"words": "auto", "chosen_words": ["fog"]}})
    assert with_words_of(own, before).dapt.used_words == ["fog"]
    with pytest.raises(ConfigError, match=r"dapt\.chosen_words"):
        with_words_of(config, {"dapt": {"words": "auto", "chosen_words": [1]}})


def started(folder: Path, tree: dict[str, Any]) -> RunFolder:
    config = make_config(tree)
    run = RunFolder(folder / "run")
    run.begin(config, resume=False, overwrite=False, split={}, inputs={})
    run.lock.release()
    return run


def test_a_run_goes_on_with_the_words_it_chose(tmp_path: Path) -> None:
    run = started(tmp_path, {**BARE, "dapt": {"words": "auto", "chosen_words": ["moss"]}})
    config = make_config(AUTO)
    run.check(config, resume=True, overwrite=False)
    assert run.going_on(config).dapt.chosen_words == ["moss"]
    other = make_config({**BARE, "dapt": {"words": "auto", "word_count": 3}})
    with pytest.raises(ConfigError, match=r"was started with dapt\.word_count=None, now it is 3\."):
        run.check(other, resume=True, overwrite=False)


def test_a_run_of_before_these_keys_goes_on(tmp_path: Path) -> None:
    as_before: dict[str, Any] = {**BARE, "dapt": {"variant": "phased", "visual_scale": "raw"}}
    config = make_config(as_before)
    text = to_yaml(config)
    old = "".join(line for line in text.splitlines(keepends=True) if line.strip().partition(":")[0] not in LATER)
    assert old != text
    run = started(tmp_path, as_before)
    run.config_file.write_text(old)
    run._check_same(config, None)
    with pytest.raises(ConfigError, match=r"was started with dapt\.trust=none, now it is score\."):
        run._check_same(make_config({**BARE, "dapt": {**as_before["dapt"], "trust": "score"}}), None)
