"""Which settings decide the results of a run, and what an interrupted run knows that its settings leave open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dapt.colour import BLACK, WHITE
from dapt.config import RunConfig
from dapt.dapt_options import AUTO, DaptOptions
from dapt.split_rule import POSITIONS
from dapt.validation import validated

# Keys that may change between the first start and a resume without changing a bit of the results; of the device only
# the number, not the kind, see `dapt.runs.keep`.
FREE_KEYS = {"out", "workers", "cache_mb", "cuda_graph", "device", "allow_leaks", "track", "track_options"}
# Keys that came later: with these values a run is what it was without them.
LATER_KEYS: dict[str, Any] = {"matte": WHITE, "mask_background": BLACK, "features": "off", "split_rule": POSITIONS}
LATER_KEYS |= {"class_weights": "none", "onednn": "auto", "draft": False, "schedule": "cosine", "lr_rule": "none"}
LATER_DAPT = {
    **{"background_label": "nearest", "min_area": 0.0, "max_area": 1.0, "trust": "none"},
    **{"visual_scale": "raw", "visual_space": "features", "margin_kind": "absolute", "background_temperature": 1.0},
    **{"soften": 0.0, "dilate": 0.0, "crops": "any", "warmup": 0.0},
    **{"balance": "none", "conflict": "ignore", "diagnose": False},
}


def result_settings(config: RunConfig) -> dict[str, Any]:
    """The settings that decide the results: all but `FREE_KEYS`."""
    tree = without_later(config.model_dump(mode="json", exclude_none=True))
    return {key: value for key, value in tree.items() if key not in FREE_KEYS}


def without_later(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without the keys that came later, its section ``dapt`` as well, where they change nothing."""
    found = {key: value for key, value in tree.items() if LATER_KEYS.get(key) != value}
    if "features" not in found:
        found.pop("features_mb", None)  # of features that are not kept
    if found.get("stop_margin") is None:
        found.pop("stop_share", None)  # of a margin at which nothing stops
    dapt = found.get("dapt")
    if not isinstance(dapt, Mapping):
        return found
    return {**found, "dapt": {key: value for key, value in dapt.items() if LATER_DAPT.get(key) != value}}


def first_difference(key: str, before: Any, now: Any) -> tuple[str, Any, Any]:
    """The setting that differs, and both values; of sections, the first of theirs: ``dapt.trust``.

    Args:
        key: of a setting that differs. before, now: its values, of trees of `without_later`.
    """
    later = LATER_DAPT if key == "dapt" else {}
    before, now = (LATER_KEYS.get(key) if each is None else each for each in (before, now))
    while isinstance(before, Mapping) and isinstance(now, Mapping):
        inner = next(each for each in sorted({*before, *now}) if before.get(each) != now.get(each))
        before, now = before.get(inner, later.get(inner)), now.get(inner, later.get(inner))
        key = f"{key}.{inner}"
    return key, before, now


def as_written_before(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration from a file; one that a run wrote before rules of division had names means the rule of then.

    What a run writes names everything, also what nobody types.
    """
    whole = {"momentum", "warmup_lr", "crop_scale", "eval_batch_size", "grad_checkpointing"} <= set(tree)
    return {"split_rule": POSITIONS, **tree} if whole else dict(tree)


def with_rule_of(config: RunConfig, before: Mapping[str, Any]) -> RunConfig:
    """`config` with the rule of division of the run that it goes on with, where it leaves that open.

    Args:
        before: content of run.yaml.
    """
    if config.split_rule is not None:
        return config
    return config.model_copy(update={"split_rule": before.get("split_rule", POSITIONS)})


def with_words_of(config: RunConfig, before: Mapping[str, Any]) -> RunConfig:
    """`config` with the background words that ``dapt.words=auto`` chose before, where it leaves them open.

    Args:
        before: content of run.yaml.

    Raises:
        ConfigError: what it holds are no words.
    """
    dapt = before.get("dapt")
    if not config.dapt.chooses_words or not isinstance(dapt, Mapping) or dapt.get("words") != AUTO:
        return config
    given = {**config.dapt.model_dump(), "chosen_words": dapt.get("chosen_words")}
    return config.model_copy(update={"dapt": validated(DaptOptions, given, "dapt.")})
