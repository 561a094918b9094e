"""The configuration as text: YAML files, and KEY=VALUE settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from dapt.config import RunConfig
from dapt.dapt_options import without_variant
from dapt.errors import ConfigError
from dapt.regular import open_regular
from dapt.validation import brief
from dapt.yaml_text import LONGEST, parse_yaml


def apply_settings(tree: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Put ``a.b=value`` settings (values in YAML) into a nested mapping.

    Another variant of DAPT sheds what the one in the mapping has set.

    Raises:
        ConfigError: a setting has no ``=`` or goes through a key that is no section.
    """
    for setting in settings:
        path, separator, text = setting.partition("=")
        if not separator or not path:
            raise ConfigError(
                f"--set {brief(setting)} is not KEY=VALUE.", todo="Write, for example, --set dapt.margin=1.0"
            )
        value = parse_yaml(text, f"The value in --set {brief(setting)}")
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
