"""What the masks of a store were made with, as its ``masks.json`` says: others are not mixed with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dapt.errors import ConfigError, DaptError
from dapt.files import read_json

ELSEWHERE = "Choose another --out, or remove that folder."


def settings_there(file: Path) -> dict[str, Any]:
    """The settings in a ``masks.json`` that is there.

    Raises:
        ConfigError: it is damaged. DaptError: it cannot be read.
    """
    try:
        tree = read_json(file)
    except DaptError as error:
        if isinstance(error.__cause__, OSError):
            raise
        tree = None
    found = tree.get("settings") if isinstance(tree, dict) else None
    if not isinstance(found, dict):
        raise ConfigError(f"{file} is damaged.", todo=ELSEWHERE)
    return found


def refuse_others(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on in `folder` with other settings.

    Raises:
        ConfigError: naming the first that differs.
    """
    changed = [key for key, value in now.items() if key in before and before[key] != value]
    changed += [key for key in before if key not in now]  # said where it is not as usual
    if changed:
        key = changed[0]
        raise ConfigError(
            f"The masks in {folder} were made with {key} {before.get(key)}, not {now.get(key, 'as usual')}.",
            todo=ELSEWHERE,
        )
