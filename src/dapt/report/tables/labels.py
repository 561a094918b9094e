"""What runs are called in tables: their method, whether with DAPT, and what else tells them apart."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.paths import LOCAL

Row = Mapping[str, Any]
# What may tell runs of one method apart, by what it is called in labels; a setting that all share is not told.
TOLD = {"set/dapt.variant": "", "cue": ""}
# Settings that never name a row: they are columns, seeds, or change no result.
PASSED_OVER = (
    *("set/data", "set/seed", "set/shots", "set/subset", "set/out", "set/method", "set/select", "set/fraction"),
    *("set/workers", "set/cache_mb", "set/device", "set/root", "set/cue.source", "set/masks", "set/mask_format"),
    *("set/allow_leaks", "set/cuda_graph", "set/plugins", "set/dapt.enabled", "set/split_file", "set/names"),
    "set/track",
)
LONGEST = 3  # further settings that are told


def labels_of(rows: Sequence[Row]) -> list[str]:
    """A label for each run; runs that differ in settings only get those behind their method.

    ``maple``, ``maple + DAPT``, ``maple + DAPT (joint, masks)``, ``coop (lr 0.01)``. Settings that a method brings
    itself are not told apart between methods, only within one.
    """
    plain = [_plain(row) for row in rows]
    found = list(plain)
    for name in dict.fromkeys(plain):
        places = [place for place, label in enumerate(plain) if label == name]
        keys = _telling([rows[place] for place in places])
        for place in places:
            told = [_told(key, rows[place].get(key)) for key in keys if there(rows[place].get(key))]
            found[place] = f"{name} ({', '.join(told)})" if told else name
    return found


def host_of(label: str, rows: Sequence[str]) -> str | None:
    """The row of the same method without DAPT among `rows`; None where there is none, or nothing tells which.

    Of several the one whose settings are all among those of the row with DAPT.
    """
    name, dapt, told = label.partition(" + DAPT")
    if not dapt:
        return None
    hosts = [row for row in rows if row.partition(" (")[0] == name]
    if len(hosts) > 1:
        hosts = [row for row in hosts if _settings_in(row) <= _settings_in(told)]
    return hosts[0] if len(hosts) == 1 else None


def _settings_in(label: str) -> set[str]:
    """What a label tells in brackets."""
    return set(label.partition("(")[2].removesuffix(")").split(", ")) - {""}


def _plain(row: Row) -> str:
    name = str(row.get("method"))
    return f"{name} + DAPT" if bool(row.get("dapt")) else name


def _telling(rows: Sequence[Row]) -> list[str]:
    """The settings in which runs of one method differ, those of `TOLD` first."""
    keys = dict.fromkeys(key for row in rows for key in row if key.startswith("set/") and key not in PASSED_OVER)
    others = [key for key in keys if key not in TOLD and not key.startswith(("set/cue.", "set/track_options."))]
    found = [key for key in (*TOLD, *others) if len({_written(row.get(key)) for row in rows}) > 1]
    return found[: len(TOLD) + LONGEST]


def _written(value: Any) -> str:
    """A value as it is compared: a folder is the same one however it was named."""
    if isinstance(value, str) and value.startswith(LOCAL):
        return LOCAL + os.path.realpath(value.removeprefix(LOCAL))
    return json.dumps(value, default=str) if there(value) else ""


def there(value: Any) -> bool:
    """Whether a row has a value."""
    return value is not None and value == value  # data frames have NaN for what is not there


def _told(key: str, value: Any) -> str:
    if key in TOLD:
        return str(value)
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    if shown.startswith(LOCAL):
        shown = shown.rstrip("/").rpartition("/")[2]
    return f"{key.removeprefix('set/')} {shown}"
