"""Paths in a table of runs, for a file that is given away: what the runs had, not where on whose machine."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FOLDERS = ("run", "set/out", "audit/file")  # what lies below one folder
# An absolute path, alone or after a word and a colon as in ``local-dir:/models/clip``; an address has two slashes.
ABSOLUTE = re.compile(r"^(?P<kind>[\w.-]{2,}:)?(?P<path>/(?!/).+|[A-Za-z]:[\\/].+)$", re.DOTALL)


def portable(table: pd.DataFrame) -> pd.DataFrame:
    """The table without absolute paths.

    Folders of runs are told from the one they have in common, other files and folders by their last parts: as many as
    tell those of a column apart. Relative paths and addresses stay.
    """
    found = table.copy()
    for name in table.columns:
        if table[name].dtype == object or str(table[name].dtype).startswith(("str", "string")):
            texts = [value for value in table[name] if isinstance(value, str)]
            paths = sorted({path for text in texts for path in _paths(text)})
            if paths:
                short = _below(paths) if name in FOLDERS else _tails(paths)
                found[name] = table[name].map(lambda value, short=short: _replaced(value, short))
    return found


def _paths(text: str) -> Iterable[str]:
    """The absolute paths in a setting, which may be a list as JSON."""
    for each in _items(text) or [text]:
        if isinstance(each, str) and (match := ABSOLUTE.match(each)):
            yield match["path"]


def _items(text: str) -> list[Any] | None:
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _replaced(value: Any, short: dict[str, str]) -> Any:
    if not isinstance(value, str):
        return value
    items = _items(value)
    if items is not None:
        return json.dumps([_replaced(each, short) for each in items])
    match = ABSOLUTE.match(value)
    return f"{match['kind'] or ''}{short[match['path']]}" if match else value


def _parts(path: str) -> Sequence[str]:
    return PurePosixPath(os.path.normpath(path).replace("\\", "/")).parts


def _below(paths: Sequence[str]) -> dict[str, str]:
    """Each from the folder that all lie in."""
    parts = {path: _parts(path) for path in paths}
    shortest = min(map(len, parts.values())) - 1
    differ = (index for index in range(shortest) if len({each[index] for each in parts.values()}) > 1)
    common = next(differ, shortest)
    return {path: "/".join(each[common:]) for path, each in parts.items()}


def _tails(paths: Sequence[str]) -> dict[str, str]:
    """The last parts of each."""
    parts = {path: _parts(path) for path in paths}
    different = len(set(parts.values()))
    longest = max(map(len, parts.values()))
    count = next(
        (count for count in range(1, longest) if len({each[-count:] for each in parts.values()}) == different), longest
    )
    return {path: "/".join(each[-count:]).lstrip("/") for path, each in parts.items()}
