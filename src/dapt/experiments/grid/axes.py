"""What the keys of an experiment file are: lists of values to go over, or settings that all runs share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from dapt.config import RunSettings
from dapt.dapt_options import DaptOptions
from dapt.errors import ConfigError, did_you_mean
from dapt.experiments.grid.nested import comes_to
from dapt.strict import kinds_of, shown

# In the order in which they go over their values, the last one fastest, and as which setting each value is taken.
PLURALS = {"methods": "method", "cues": "cue", "seeds": "seed", "protocols": "protocol", "selects": "select"}
ORDER = ("data", "protocol", "method", "dapt", "cue", "select", "fraction", "shots")  # then all others, then seed
OWN = ("protocol",)  # beside the settings of a run
LISTED = ("method", "seed", "shots", "protocol")  # of which no value has a comma or a space in it
SECTIONS = ("dapt", "cue", "prompt", "selection", "track_options")


def axis_of(key: str) -> str:
    """The setting that a key of the file is about: ``methods`` is ``method``, ``dapt.margin`` is itself.

    Raises:
        ConfigError: there is no such setting; names the closest one.
    """
    name = PLURALS.get(key, key)
    top, _, inner = name.partition(".")
    known = [*RunSettings.model_fields, *OWN]
    if top not in known or top == "out":
        raise ConfigError(
            f"There is no key '{key}' in an experiment.",
            todo=did_you_mean(key, [*known, *PLURALS, "include", "exclude"]),
        )
    if inner and top not in SECTIONS:
        raise ConfigError(f"'{key}': {top} is no section with settings of its own.")
    if top == "dapt" and inner and inner not in DaptOptions.model_fields:
        raise ConfigError(
            f"There is no key '{key}' in an experiment.",
            todo=did_you_mean(key, [f"dapt.{name}" for name in DaptOptions.model_fields]),
        )
    return name


def values_of(key: str, name: str, given: Any) -> list[Any] | None:
    """The values that a key goes over, None for a single one.

    A list is gone over, but where the setting takes a list itself (``plugins``, ``crop_scale``): there a list with
    lists in it is.

    Raises:
        ConfigError: the list is empty, or holds a value twice, also where it is written in two ways.
    """
    if isinstance(given, str) and name in LISTED and re.search(r"[,\s]|\d-\d", given):
        raise ConfigError(
            f"'{key}' is the text {shown(given)}.",
            todo=f"A list is written [a, b], or each on a line behind '- ': {key}: [...].",
        )
    if not isinstance(given, list):
        return None
    if takes_lists(name) and not any(isinstance(value, list) for value in given):
        return None
    if not given:
        raise ConfigError(
            f"'{key}' is an empty list, so there is nothing to run.", todo="Leave the key out, or fill it."
        )
    seen: dict[str, Any] = {}
    for value in given:
        meant = comes_to(name, value)
        if meant in seen:
            first = seen[meant]
            same = first == value and type(first) is type(value)
            twice = f"names {value} twice" if same else f"names {shown(first)} and {shown(value)}, which are the same"
            raise ConfigError(f"'{key}' {twice}.", todo="Name every value once.")
        seen[meant] = value
    return given


def listed(value: Any) -> list[Any]:
    """A value of a file as the list of values that it stands for: itself alone, unless it is a list."""
    return value if isinstance(value, list) else [value]


def takes_lists(name: str) -> bool:
    """Whether the values of a setting are lists or tuples."""
    model: type[BaseModel] = RunSettings
    top, _, inner = name.partition(".")
    if top == "dapt" and inner:
        model, top = DaptOptions, inner
    field = model.model_fields.get(top)
    if field is None or (inner and model is RunSettings):
        return False
    return bool(kinds_of(field.annotation) & {list, tuple})


def sorted_axes(axes: Mapping[str, Any]) -> list[str]:
    """Names of axes in the order in which they are gone over: those of `ORDER`, others as written, seeds last."""
    first = [name for name in ORDER if name in axes]
    others = [name for name in axes if name not in ORDER and name != "seed"]
    return [*first, *others, *(["seed"] if "seed" in axes else [])]
