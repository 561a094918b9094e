"""Which of the runs a report is about: those with given values in columns of the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dapt.console import warn
from dapt.errors import ConfigError, DataError, did_you_mean
from dapt.report.tables.labels import there
from dapt.wording import some

Row = Mapping[str, Any]


def chosen(rows: Sequence[Row], conditions: Sequence[str]) -> list[Row]:
    """The rows that meet every condition.

    Args:
        rows: of `dapt.results.load`. conditions: ``COLUMN=VALUE`` or ``COLUMN=VALUE,VALUE``; settings may be written
            without their ``set/``, and an empty value stands for runs that have none.

    Raises:
        ConfigError: a condition that cannot be read, or a column that no run has. DataError: no run is left.
    """
    kept = list(rows)
    known = {key for row in rows for key in row}
    for condition in conditions:
        name, sign, text = condition.partition("=")
        if not sign:
            raise ConfigError(f"'{condition}' is no condition.", todo="Write COLUMN=VALUE, as data=caltech101.")
        key = name if name in known else f"set/{name}"
        if key not in known:
            raise ConfigError(f"Runs have no column '{name}'.", todo=did_you_mean(name, sorted(known)))
        wanted = [each.strip() for each in text.split(",")]
        found = [row for row in kept if any(_means(each, row.get(key)) for each in wanted)]
        values = sorted({_written(row.get(key)) or "none" for row in kept})
        if not found and kept:
            raise DataError(f"No run is left with {condition}.", todo=f"They have {some(values, 8)}.")
        for each in wanted:
            if not any(_means(each, row.get(key)) for row in found):
                warn(f"--where {condition}: no run has {each or 'none'}. They have {some(values, 8)}.")
        kept = found
    return kept


def _means(text: str, value: Any) -> bool:
    """Whether a text of the command line stands for a value: as it is written, or as a number."""
    if isinstance(value, bool):
        return text.lower() == _written(value)
    if text == _written(value):
        return True
    if not isinstance(value, int | float):
        return False
    try:
        return float(text) == value
    except ValueError:
        return False


def _written(value: Any) -> str:
    """A value as it is given on the command line."""
    if not there(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
