"""The configuration as text: YAML files, and KEY=VALUE settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dapt.config import SECTIONS, RunConfig, RunSettings
from dapt.dapt_options import without_variant
from dapt.errors import ConfigError
from dapt.regular import open_regular
from dapt.validation import brief, validated
from dapt.yaml_text import LONGEST, parse_yaml


def apply_settings(tree: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Put ``a.b=value`` settings (values in YAML) into a nested mapping.

    Another variant of DAPT sheds what the one in the mapping has set.

    Raises:
        ConfigError: a setting has no ``=``, goes through a key that is no section, or leaves a section empty.
    """
    for setting in settings:
        path, separator, text = setting.partition("=")
        if not separator or not path:
            raise ConfigError(
                f"--set {brief(setting)} is not KEY=VALUE.", todo="Write, for example, --set dapt.margin=1.0"
            )
        value = parse_yaml(text, f"The value in --set {brief(setting)}")
        if value is None and path in SECTIONS:
            raise ConfigError(
                f"--set {brief(setting)} gives the section '{path}' no value.", todo=f"Write {path}.KEY=VALUE."
            )
        *sections, last = path.split(".")
        node = tree
        for depth, name in enumerate(sections, start=1):
            inside = _opened(node.get(name), sections[:depth])
            if not isinstance(inside, dict):
                raise ConfigError(f"--set {brief(setting)}: '{brief(name)}' is no section.")
            node[name] = inside
            node = inside
        if path == "dapt.variant" and isinstance(value, str):
            without_variant(node, value)
        node[last] = value
    return tree


def refuse_contradictions(options: Mapping[str, Any], settings: Sequence[str]) -> None:
    """Refuse an option of the command line beside a ``--set`` of the same key with another value.

    Args:
        options: what was given, by the path of its key, as ``cue.source``.

    Raises:
        ConfigError: naming both; or a value of either is none that the key takes.
    """
    told = apply_settings({}, settings)
    for key, value in options.items():
        places = [key, f"prompt.{key}"] if key in ("n_ctx", "depth") else [key]
        for place in places:
            section, _, inner = place.partition(".")
            if section not in told or _silent(told[section], inner):
                continue
            ours = value if place != key else _checked(place, {section: {inner: value} if inner else value})
            alone = {inner: told[section][inner]} if inner and isinstance(told[section], dict) else told[section]
            theirs = _checked(place, {section: alone})
            if ours == theirs:
                continue
            said = {True: "--dapt was given", False: "--no-dapt was given"}.get(value) if inner == "enabled" else None
            raise ConfigError(
                f"{said or f'{_option(key)} is {_told(ours)}'}, and --set {place} is {_told(theirs)}.",
                todo="Leave one of the two out.",
            )


def _silent(section: Any, inner: str) -> bool:
    """Whether a section that was given says nothing of a key within it."""
    return bool(inner) and isinstance(section, dict) and inner not in section


def _checked(path: str, tree: Mapping[str, Any]) -> Any:
    """The value at `path` as a run takes it: of its type, short forms spelt out."""
    value: Any = validated(RunSettings, {"data": "-", **tree})
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else getattr(value, name)
    return value


def _option(key: str) -> str:
    return "DATA" if key == "data" else f"--{key.removesuffix('.source').replace('_', '-')}"


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _opened(value: Any, path: list[str]) -> Any:
    """What stands at `path` of a configuration, as a section where it is the short form of one or not there yet."""
    if path == ["dapt"] and isinstance(value, bool):
        return {"enabled": value}
    if path == ["cue"] and isinstance(value, str):
        return {"source": value}
    return {} if value is None else value


def read_yaml(path: Path) -> dict[str, Any]:
    """A configuration file as a nested mapping.

    Raises:
        ConfigError: missing, not a YAML mapping, or one that `parse_yaml` refuses.
    """
    try:
        with open_regular(path) as file:
            content = file.read(4 * LONGEST + 1)  # a character has at most four bytes
        text = content.decode()
    except OSError as error:
        raise ConfigError(f"Could not read the configuration {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        if len(content) > 4 * LONGEST:
            raise ConfigError(f"{path} is too large for a configuration.") from error
        raise ConfigError(f"{path} is not valid YAML: it is no UTF-8 text.") from error
    tree = parse_yaml(text, str(path))
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold keys and values at the top level.")
    return tree


def to_yaml(config: RunConfig) -> str:
    """The configuration as YAML; reading it back gives an equal configuration."""
    tree = config.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
