"""Settings by dotted name as the nested mapping that a configuration is, and what single values come to in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dapt.config import RunSettings
from dapt.errors import ConfigError

OPEN = ("prompt", "cue", "selection", "track_options")  # sections with options whose types others declare


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by dotted name as a nested mapping; sections come before what stands in them.

    The name of a variant stands for DAPT in that variant.

    Raises:
        ConfigError: a key goes through one that is no section.
    """
    tree: dict[str, Any] = {}
    for key in sorted(values, key=lambda key: (key.count("."), key)):
        value = values[key]
        top, _, inner = key.partition(".")
        if not inner:
            tree[top] = _section(top, value)
        elif isinstance(section := tree.setdefault(top, {}), dict):
            *between, last = inner.split(".")
            for name in between:
                section = section.setdefault(name, {})
            section[last] = value
        elif section is not False:
            raise ConfigError(f"'{key}': {top} is {section!r}, no section.")
    return tree


def _section(name: str, value: Any) -> Any:
    """A value of a section as a section of its own, so that more can be put into it."""
    if name == "dapt" and isinstance(value, str):
        return {"enabled": True, "variant": value}
    if name == "dapt" and value is True:
        return {"enabled": True}
    if name == "dapt" and isinstance(value, dict):
        return {"enabled": True, **value}
    if name == "cue" and isinstance(value, str):
        return {"source": value}
    return dict(value) if isinstance(value, dict) else value


def comes_to(name: str, value: Any) -> str:
    """What a run makes of a value of a setting, as a text: equal for values that mean the same, as 1, 1.0 and "1".

    Args:
        name: of the setting, dotted. value: as in the file; one that no run takes stands for itself.
    """
    found = value
    if name == "protocol" and isinstance(value, str):
        found = value.replace("-", "_")
    top = name.partition(".")[0]
    if top in RunSettings.model_fields:
        try:
            settings = RunSettings.model_validate({"data": "photos", **nested({name: value})})
            found = settings.model_dump(mode="json", include={top})[top]
        except (ConfigError, ValueError):  # the check of the cells says what is wrong with it
            found = value
    return json.dumps(_numbers(found) if top in OPEN else found, sort_keys=True, default=str)


def _numbers(value: Any) -> Any:
    """A value with every number in it as a float, also where it is written as a text."""
    if isinstance(value, Mapping):
        return {key: _numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        return float(value)
    except ValueError:  # a word
        return value
