"""What runs are called in tables: their method, whether with DAPT, and what else tells them apart."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.dapt_names import SET_BY_VARIANTS, settings_name
from dapt.methods.base import METHODS
from dapt.paths import LOCAL
from dapt.runs.run_settings import without_later

Row = Mapping[str, Any]
# What tells rows with DAPT apart first, by its value alone; what all share is not told.
VARIANT = "set/dapt.variant"
TOLD = (VARIANT, "cue")
OF_VARIANT = tuple(f"set/dapt.{name}" for name in SET_BY_VARIANTS)  # told with the variant, where they depart from it
# Settings that never name a row: they are data sets, seeds, or change no result.
PASSED_OVER = (
    *("set/data", "set/seed", "set/subset", "set/out", "set/method", "set/root", "set/own_split"),
    *("set/workers", "set/cache_mb", "set/device", "set/cue.source"),
    *("set/allow_leaks", "set/cuda_graph", "set/onednn", "set/plugins", "set/dapt.enabled"),
    "set/track",
    *("set/prompt.teacher", "set/dapt.chosen_words"),  # of each seed its own
)
# Settings that tables have in their columns.
IN_COLUMNS = ("shots", "fraction", "select")
MODEL = "set/model"
# Settings that belong to the data, and those that published recipes give by data set and number of shots.
OF_MASKS = ("set/masks", "set/mask_format", "set/mask_background", "set/mask_name")
OF_DATA = (*OF_MASKS, "set/split_file", "set/names")
BY_DATA = ("set/epochs", "set/prompt.gpa_mean", "set/prompt.gpa_std", *OF_DATA)
AT_COMMAS = re.compile(r", (?![^\[{]*[\]}])")  # but not within a list
SETTING = re.compile(r"[\w.]+ ")
LONGEST = 5  # settings; where runs differ in more, only what departs from most of them is told


def labels_of(rows: Sequence[Row], *, columns: Sequence[str] = IN_COLUMNS) -> list[str]:
    """A label for each run; runs that differ in settings only get those behind their method.

    ``MaPLe``, ``MaPLe + DAPT``, ``MaPLe + DAPT (joint, masks)``, ``CoOp (lr 0.01)``. A variant of which a run has
    changed a setting is told with it, also where all rows share it: ``MaPLe + DAPT (swap, fill=mean)``. Settings that a
    method brings
    itself are not told apart between methods, only within one; there all rows tell the same ones, with DAPT and
    without, so that `host_of` finds equals. Where runs have several backbones, every row tells its own, so that
    `zero_shot_of` finds that of the same. Settings of DAPT and of its cue are told of rows with DAPT only. Runs whose
    settings differ never have one label.

    Args:
        columns: settings that tell no rows apart, because the table has them in its columns.
    """
    rows = [_with_later(_with_name(row)) for row in rows]
    passed_over = [f"set/{name}" for name in columns]
    titles = _titles({str(row.get("method")) for row in rows})
    found = [""] * len(rows)
    for method, title in titles.items():
        places = [place for place, row in enumerate(rows) if str(row.get("method")) == method]
        of_method = [rows[place] for place in places]
        with_dapt = [row for row in of_method if row.get("dapt")]
        shared = [key for key in _settings(of_method) if not _of_dapt(key) and key not in passed_over]
        shared = [key for key in shared if _differs(key, rows if key == MODEL else of_method)]
        own, behind = _telling_dapt(with_dapt)
        usual: dict[str, str] = {}
        if len(shared) + len(own) + len(behind) > LONGEST:
            usual = _usual([key for key in shared if key != MODEL], of_method) | _usual(own, with_dapt)
        for dapt, name, keys in ((False, title, shared), (True, title + " + DAPT", own + shared)):
            group = [place for place in places if bool(rows[place].get("dapt")) == dapt]
            labels = _labels(name, keys, behind if dapt else [], [rows[place] for place in group], usual)
            for place, label in zip(group, labels, strict=True):
                found[place] = label
    return found


def _with_later(row: Row) -> Row:
    """A row without the settings that came later where they change nothing: runs of before have none."""
    given = {key.removeprefix("set/"): value for key, value in row.items() if key.startswith("set/") and there(value)}
    dapt = {key.removeprefix("dapt."): value for key, value in given.items() if key.startswith("dapt.")}
    left = without_later({**given, "dapt": dapt})
    kept = {f"set/{key}" for key in left if not key.startswith("dapt")} | {f"set/dapt.{key}" for key in left["dapt"]}
    return {key: value for key, value in row.items() if not key.startswith("set/") or key in kept}


def _with_name(row: Row) -> Row:
    """A row with DAPT with its variant as it is told: with those settings of it that the run has changed."""
    if not row.get("dapt") or not there(row.get(VARIANT)):
        return row
    given = {key.removeprefix("set/dapt."): row.get(key) for key in (VARIANT, *OF_VARIANT, "set/dapt.views")}
    return {**row, VARIANT: settings_name(given, only=SET_BY_VARIANTS)}


def _departs(row: Row) -> bool:
    """Whether a row that `_with_name` made has changed a setting of its variant."""
    return "=" in str(row.get(VARIANT))


def _labels(
    name: str, keys: Sequence[str], behind: Sequence[str], rows: Sequence[Row], usual: Mapping[str, str]
) -> list[str]:
    """Labels of rows of one name; where two would have the same and differ in one of the settings, all is told.

    Args:
        behind: settings in which rows differ, but which stand behind another one that is told.
    """
    short = [_label(name, [key for key in keys if _is_told(key, row, usual)], row) for row in rows]
    every = [*keys, *behind]
    meant: dict[str, set[tuple[str, ...]]] = {}
    for label, row in zip(short, rows, strict=True):
        meant.setdefault(label, set()).add(tuple(_written(row.get(key)) for key in every))
    return [
        label if len(meant[label]) == 1 else _label(name, every, row, whole=True)
        for label, row in zip(short, rows, strict=True)
    ]


def _is_told(key: str, row: Row, usual: Mapping[str, str]) -> bool:
    if not there(row.get(key)):
        return False
    return usual.get(key) != _written(row[key]) or (key == VARIANT and _departs(row))


def _label(name: str, keys: Sequence[str], row: Row, *, whole: bool = False) -> str:
    told = [_told(key, row.get(key), whole=whole) for key in keys]
    return f"{name} ({', '.join(told)})" if told else name


def host_of(label: str, rows: Sequence[str]) -> str | None:
    """The row of the same method without DAPT among `rows`, with the same settings but for those of DAPT and its cue;
    None where there is none.
    """
    name, dapt, told = label.partition(" + DAPT")
    if not dapt:
        return None
    hosts = [row for row in rows if row.partition(" (")[0] == name and _shared_in(row) == _shared_in(told)]
    return hosts[0] if len(hosts) == 1 else None


def zero_shot_of(label: str, rows: Sequence[str]) -> str | None:
    """The row of zero-shot CLIP among `rows` that has the same backbone; None where there is none, or several."""
    ours = [row for row in rows if row.partition(" (")[0] == ZERO_SHOT and _model_in(row) == _model_in(label)]
    return ours[0] if len(ours) == 1 and ours[0] != label else None


def title_of(method: str) -> str:
    """What tables call a method; its name where it is not known here, as those of plugins."""
    return METHODS.get(method).title if method in METHODS.names() else method


ZERO_SHOT = title_of("zero_shot")


def _shared_in(label: str) -> set[str]:
    """The settings that a label tells in brackets, but for those of DAPT and its cue."""
    told = AT_COMMAS.split(label.partition("(")[2].removesuffix(")"))
    return {setting for setting in told if SETTING.match(setting) and not _of_dapt(f"set/{setting}")}


def _model_in(label: str) -> set[str]:
    name = MODEL.removeprefix("set/") + " "
    return {setting for setting in _shared_in(label) if setting.startswith(name)}


def _titles(methods: set[str]) -> dict[str, str]:
    """What each method is called; two of one title, as one of a plugin may have it, are told apart by their names."""
    titles = {method: title_of(method) for method in methods}
    taken = Counter(titles.values())
    return {method: title if taken[title] == 1 else f"{title} {method}" for method, title in titles.items()}


def _settings(rows: Sequence[Row]) -> list[str]:
    """The settings of some runs that may tell them apart."""
    keys = dict.fromkeys(key for row in rows for key in row if key.startswith("set/"))
    return [key for key in keys if key not in PASSED_OVER and not key.startswith("set/track_options.")]


def _of_dapt(key: str) -> bool:
    return key in TOLD or key.startswith(("set/dapt.", "set/cue.", *OF_MASKS))


def _telling_dapt(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """The settings of DAPT in which runs with it differ, those of `TOLD` first; and those behind the variant's name.

    The variant is told, too, where a run has changed a setting of it. Runs that do not say their variant have its
    settings told one by one.
    """
    keys = [key for key in _settings(rows) if _of_dapt(key) and key not in TOLD]
    behind = [key for key in OF_VARIANT if all(there(row.get(VARIANT)) for row in rows) and _differs(key, rows)]
    told = [key for key in (*TOLD, *keys) if key not in behind and _differs(key, rows)]
    if VARIANT not in told and any(map(_departs, rows)):
        told.insert(0, VARIANT)
    return told, behind


def _differs(key: str, rows: Sequence[Row]) -> bool:
    """Whether runs differ in a setting.

    What a method is meant to have otherwise with other data or shots counts only where it differs with the same, and
    options of a cue only with the same cue.
    """
    values: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        beside = ("data", "shots", "subset") if key in BY_DATA else ("cue",) if key.startswith("set/cue.") else ()
        where = tuple(_written(row.get(name)) for name in beside)
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


def _told(key: str, value: Any, *, whole: bool = False) -> str:
    """A setting as labels tell it; `whole`: so that no two values look the same."""
    if not there(value):
        return f"{key.removeprefix('set/')} none"
    if key in TOLD:
        return str(value)
    shown = f"{value:g}" if isinstance(value, float) and not whole else str(value)
    if not whole and (shown.startswith(LOCAL) or key in OF_DATA):
        shown = shown.removeprefix(LOCAL).rstrip("/").rpartition("/")[2]
    return f"{key.removeprefix('set/')} {shown}"
