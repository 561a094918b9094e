"""What runs are called in tables: their method, whether with DAPT, and what else tells them apart."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.methods.base import METHODS
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
    *("set/prompt.teacher", "set/dapt.chosen_words"),  # of each seed its own
)
# Settings that published recipes give by data set and number of shots, or that go with those.
BY_DATA = ("set/epochs", "set/prompt.gpa_mean", "set/prompt.gpa_std")
LONGEST = 5  # settings; where runs differ in more, only what departs from most of them is told


def labels_of(rows: Sequence[Row]) -> list[str]:
    """A label for each run; runs that differ in settings only get those behind their method.

    ``MaPLe``, ``MaPLe + DAPT``, ``MaPLe + DAPT (joint, masks)``, ``CoOp (lr 0.01)``. Settings that a method brings
    itself are not told apart between methods, only within one.
    """
    titles = _titles({str(row.get("method")) for row in rows})
    plain = [titles[str(row.get("method"))] + (" + DAPT" if bool(row.get("dapt")) else "") for row in rows]
    found = list(plain)
    for name in dict.fromkeys(plain):
        places = [place for place, label in enumerate(plain) if label == name]
        of_name = [rows[place] for place in places]
        keys = _telling(of_name)
        usual = _usual(keys, of_name) if len(keys) > LONGEST else {}
        for place in places:
            row = rows[place]
            told = [
                _told(key, row[key]) for key in keys if there(row.get(key)) and usual.get(key) != _written(row[key])
            ]
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


def title_of(method: str) -> str:
    """What tables call a method; its name where it is not known here, as those of plugins."""
    return METHODS.get(method).title if method in METHODS.names() else method


def _settings_in(label: str) -> set[str]:
    """What a label tells in brackets."""
    return set(label.partition("(")[2].removesuffix(")").split(", ")) - {""}


def _titles(methods: set[str]) -> dict[str, str]:
    """What each method is called; two of one title, as one of a plugin may have it, are told apart by their names."""
    titles = {method: title_of(method) for method in methods}
    taken = Counter(titles.values())
    return {method: title if taken[title] == 1 else f"{title} {method}" for method, title in titles.items()}


def _telling(rows: Sequence[Row]) -> list[str]:
    """The settings in which runs of one method differ, those of `TOLD` first.

    What a method is meant to have otherwise with other data or shots counts only where it differs with the same.
    """
    keys = dict.fromkeys(key for row in rows for key in row if key.startswith("set/") and key not in PASSED_OVER)
    others = [key for key in keys if key not in TOLD and not key.startswith(("set/cue.", "set/track_options."))]
    return [key for key in (*TOLD, *others) if _differs(key, rows)]


def _differs(key: str, rows: Sequence[Row]) -> bool:
    values: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        where = tuple(_written(row.get(name)) for name in ("data", "shots", "subset")) if key in BY_DATA else ()
        values.setdefault(where, set()).add(_written(row.get(key)))
    return any(len(found) > 1 for found in values.values())


def _usual(keys: Sequence[str], rows: Sequence[Row]) -> dict[str, str]:
    """The value that more than half of the runs have, of the settings that have one: as in ablations."""
    found = {}
    for key in keys:
        value, count = Counter(_written(row.get(key)) for row in rows).most_common(1)[0]
        if 2 * count > len(rows):
            found[key] = value
    return found


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
        shown = shown.removeprefix(LOCAL).rstrip("/").rpartition("/")[2]
    return f"{key.removeprefix('set/')} {shown}"
