"""What a search goes over: a method's own space, or what the user says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from dapt.config import RunConfig, make_config
from dapt.errors import ConfigError
from dapt.methods.base import METHODS
from dapt.methods.search import Choice, Range, choice
from dapt.validation import brief
from dapt.yaml_text import parse_yaml

Space = dict[str, Range | Choice]
AROUND = 10.0  # learning rate and weight decay are searched from a tenth to ten times the published ones
DAPT: Mapping[str, Range | Choice] = {
    "dapt.visual_weight": Range(0.1, 2.0),
    "dapt.foreground_weight": Range(0.01, 1.0, log=True),
    "dapt.background_weight": Range(0.05, 2.0, log=True),
    "dapt.margin": Range(0.5, 2.0),
    "dapt.variant": choice("swap", "joint", "phased"),
}
# which images judge a trial, and what must not be chosen by luck
FIXED = ("data", "root", "own_split", "split_file", "shots", "subset", "seed", "out", "device", "devices", "plugins")


def own_space(tree: Mapping[str, Any]) -> Space:
    """What is searched where nothing is said: learning rate, weight decay, epochs, what the method declares, and with
    DAPT its weights, margin and variant. Whatever `tree` sets itself stays as it is set.

    Raises:
        ConfigError: `tree` is no configuration, or sets all of them.
    """
    config = make_config(tree)
    method = METHODS.get(config.method)
    found: Space = {"lr": Range(config.lr / AROUND, config.lr * AROUND, log=True)}
    if config.weight_decay > 0:
        found["weight_decay"] = Range(config.weight_decay / AROUND, config.weight_decay * AROUND, log=True)
    found["epochs"] = Choice(tuple(sorted({max(1, config.epochs // 2), config.epochs, 2 * config.epochs})))
    found |= {key: each for key, each in method.search.items() if key.removeprefix("prompt.") not in method.preset}
    if config.dapt.enabled:
        found |= DAPT
    found = {key: _that_fits(each, tree, key) for key, each in found.items() if value_at(tree, key) is None}
    found = {key: each for key, each in found.items() if isinstance(each, Range) or len(each.values) > 1}
    if not found:
        raise ConfigError(
            "The file sets everything that would be searched, so nothing is left.",
            todo="Leave out a key of it, or say what to search: --space lr=1e-4..1e-1:log.",
        )
    return found


def _that_fits(each: Range | Choice, tree: Mapping[str, Any], key: str) -> Range | Choice:
    """A choice without the values that contradict other settings, as n_ctx may the words of ctx_init."""
    if isinstance(each, Range):
        return each
    return Choice(tuple(value for value in each.values if _taken(tree, key, value)))


def value_at(tree: Mapping[str, Any], key: str) -> Any:
    """What stands at a dotted key of a nested mapping; None: nothing."""
    node: Any = tree
    for name in key.split("."):
        if not isinstance(node, Mapping):
            return None
        node = node.get(name)
    return node


def with_values(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with some of them, by dotted keys, at other values.

    Raises:
        ConfigError: a key goes through something that is no section.
    """
    found = deepcopy(dict(tree))
    for key, value in values.items():
        node = found
        *sections, last = key.split(".")
        for name in sections:
            node[name] = _section(node.get(name), name, key)
            node = node[name]
        node[last] = value
    return found


def _section(inner: Any, name: str, key: str) -> dict[str, Any]:
    """A section of the configuration, also where it is written in its short form."""
    if inner is None:
        return {}
    if name == "dapt" and isinstance(inner, bool):
        return {"enabled": inner}
    if name == "cue" and isinstance(inner, str):
        return {"source": inner}
    if not isinstance(inner, Mapping):
        raise ConfigError(f"{brief(key)} cannot be searched, as {name} is no section in these settings.")
    return dict(inner)


def checked(space: Space, tree: Mapping[str, Any]) -> Space:
    """The space, once the ends of every range and every choice have been held against the configuration.

    Ranges of what takes whole numbers only become ranges of whole numbers.

    Raises:
        ConfigError: a key or value that no run takes, or a key that decides which images judge.
    """
    found: Space = {}
    for key, each in space.items():
        if key in FIXED or key in ("model_selection", "config"):
            raise ConfigError(f"{key} cannot be searched: all trials have to be judged alike.")
        if isinstance(each, Range):
            between = each.low + (each.high - each.low) * 0.3819
            if not _taken(tree, key, between) and _taken(tree, key, round(between)):
                each = replace(each, low=math.ceil(each.low), high=math.floor(each.high), whole=True)
        for value in each.values if isinstance(each, Choice) else (each.low, each.high):
            make_config(with_values(tree, {key: value}))
        found[key] = each
    return found


def _taken(tree: Mapping[str, Any], key: str, value: Any) -> bool:
    try:
        make_config(with_values(tree, {key: value}))
    except ConfigError:
        return False
    return True


def at_start(space: Space, config: RunConfig) -> dict[str, Any]:
    """The values that the settings have as they are, as far as the space holds them."""
    tree = config.model_dump(mode="python")
    found: dict[str, Any] = {}
    for key, each in space.items():
        value = value_at(tree, key)
        if isinstance(each, Choice):
            inside = value in each.values
        else:
            inside = isinstance(value, int | float) and each.low <= value <= each.high
        if inside:
            found[key] = value
    return found


def space_of(entries: Mapping[str, Any]) -> Space:
    """What the section ``space`` of a file means: by key a list of values, or a text as after ``--space KEY=``.

    Raises:
        ConfigError: an entry means nothing of the kind.
    """
    if not isinstance(entries, Mapping) or not entries:
        raise ConfigError("space holds one or more keys of run.yaml, each with a list or a range like 1e-4..1e-1:log.")
    found: Space = {}
    for key, entry in entries.items():
        if isinstance(entry, list):
            found[str(key)] = _choice_of(entry, f"space.{key}")
        elif isinstance(entry, str) and ".." in entry:
            found[str(key)] = _range(f"{key}={entry}", entry)
        else:
            raise _unclear(f"{key}={entry}")
    return found


def space_from(texts: Sequence[str]) -> Space:
    """What ``lr=1e-4..1e-1:log`` and ``prompt.n_ctx=2,4,8`` mean.

    Raises:
        ConfigError: a text means nothing of the kind, or a key is named twice.
    """
    found: Space = {}
    for text in texts:
        key, _, value = text.partition("=")
        if not key or not value:
            raise _unclear(text)
        if key in found:
            raise ConfigError(f"--space names {brief(key)} twice.", todo="Keep one of them.")
        if ".." in value:
            found[key] = _range(text, value)
        else:
            values = [parse_yaml(each, f"The value in --space {brief(text)}") for each in value.split(",")]
            found[key] = _choice_of(values, f"--space {brief(text)}")
    return found


def _range(text: str, value: str) -> Range:
    bounds, colon, scale = value.partition(":")
    low, _, high = bounds.partition("..")
    try:
        found = Range(float(low), float(high), log=scale == "log")
    except ValueError:
        raise _unclear(text) from None
    if (colon and scale != "log") or not math.isfinite(found.low) or not math.isfinite(found.high):
        raise _unclear(text)
    if found.low >= found.high or (found.log and found.low <= 0):
        raise ConfigError(
            f"--space {brief(text)}: the lower end comes first, and above 0 where it goes by logarithm.",
            todo="Write, for example, lr=1e-4..1e-1:log.",
        )
    return found


def _choice_of(values: list[Any], where: str) -> Choice:
    if not values or any(isinstance(each, list | dict) or each is None for each in values):
        raise ConfigError(f"{where} is no list of plain values.", todo="Write, for example, prompt.n_ctx=2,4,8.")
    if len(set(values)) < len(values):
        raise ConfigError(f"{where} names a value twice.", todo="Keep one of them.")
    return Choice(tuple(values))


def _unclear(text: str) -> ConfigError:
    return ConfigError(
        f"--space {brief(text)} is neither KEY=LOW..HIGH nor KEY=a,b,c.",
        todo="Write, for example, lr=1e-4..1e-1:log or prompt.n_ctx=2,4,8.",
    )
