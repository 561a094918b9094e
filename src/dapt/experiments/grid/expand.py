"""From an experiment to its cells: every combination of values, less what is excluded, with what is included."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.errors import ConfigError
from dapt.experiments.grid.axes import listed, sorted_axes, takes_lists
from dapt.experiments.grid.cell_names import named
from dapt.experiments.grid.experiment import Experiment

Values = dict[str, Any]  # by setting


@dataclass(frozen=True)
class Cell:
    """One run of a grid, or one protocol.

    Attributes:
        name: of its folder. values: what distinguishes it, by setting. settings: nested, as in run.yaml, with `out`.
        protocol: its name, None for a single run. over: its points, empty: as published.
    """

    name: str
    values: Values
    settings: dict[str, Any]
    protocol: str | None = None
    over: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return Path(self.settings["out"])


@dataclass(frozen=True)
class Cells:
    """The cells of an experiment.

    Attributes:
        cells: in the order in which they run. excluded: combinations that ``exclude`` left out. equal: combinations
            that come to the same as another one. unused: entries of ``exclude`` that fit nothing.
    """

    cells: list[Cell]
    excluded: int = 0
    equal: int = 0
    unused: list[Values] = field(default_factory=list)


def expand(experiment: Experiment) -> Cells:
    """All cells of an experiment.

    As in the matrices of continuous integration: an entry of ``include`` adds its settings to every cell whose axes
    have the entry's values; one that fits no cell is a cell of its own. An entry of ``vary`` makes a further cell of
    every one, with its settings in the place of the cell's; a list in it one for each value. A cell without DAPT has
    no cue.

    Raises:
        ConfigError: nothing is left, two cells have the same folder, or a key goes through one that is no section.
    """
    axes = experiment.axes
    combined = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())] if axes else [{}]
    combined = _varied(combined, experiment)
    fitting = [[entry for entry in experiment.exclude if _fits(entry, cell, experiment)] for cell in combined]
    unused = [entry for entry in experiment.exclude if not any(entry in found for found in fitting)]
    kept = [cell for cell, found in zip(combined, fitting, strict=True) if not found]
    rows = _included(kept, experiment)
    seen: dict[str, Values] = {}
    cells: list[tuple[Values, dict[str, Any], str | None]] = []
    for values in rows:
        settings = nested({**experiment.fixed, **values})
        protocol = settings.pop("protocol", None)
        if not _has_dapt(settings):
            values = {key: value for key, value in values.items() if not _belongs_to_dapt(key)}
            for key in ("cue", "masks"):
                settings.pop(key, None)
            settings.pop("dapt", None)
        if settings.get("track"):
            settings["track_options"] = {"group": experiment.name, **(settings.get("track_options") or {})}
        key = json.dumps([settings, protocol], sort_keys=True)
        if key not in seen:
            seen[key] = values
            cells.append((values, settings, protocol))
    if not cells:
        raise ConfigError("Every combination is excluded, so there is nothing to run.", todo="Look at 'exclude'.")
    names = named([values for values, _, _ in cells], experiment.fixed)
    made = [
        Cell(name, values, {"out": str(experiment.out / name), **settings}, protocol, _points(experiment, protocol))
        for name, (values, settings, protocol) in zip(names, cells, strict=True)
    ]
    return Cells(made, len(combined) - len(kept), len(rows) - len(cells), unused)


def _varied(cells: list[Values], experiment: Experiment) -> list[Values]:
    """Every cell, and behind it those in which one entry of ``vary`` is changed."""
    found = []
    for cell in cells:
        found.append(cell)
        for entry in experiment.vary:
            values = [_each(key, value) for key, value in entry.items()]
            found += [{**cell, **dict(zip(entry, each, strict=True))} for each in itertools.product(*values)]
    return found


def _each(key: str, value: Any) -> list[Any]:
    """The values of a setting; a list is one where the setting takes a list itself, unless it holds lists."""
    if takes_lists(key) and isinstance(value, list) and not any(isinstance(each, list) for each in value):
        return [value]
    return listed(value)


def _fits(entry: Values, cell: Values, experiment: Experiment) -> bool:
    """Whether a cell has all values of an entry; a list in the entry stands for any of its values."""
    whole = {**experiment.fixed, **cell}
    return all(key in whole and _same(wanted, whole[key]) for key, wanted in entry.items())


def _same(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, list) and not isinstance(value, list):
        return any(_same(each, value) for each in wanted)
    return type(wanted) is type(value) and bool(wanted == value)


def _included(cells: list[Values], experiment: Experiment) -> list[Values]:
    """The cells with what ``include`` adds to them, then those that it adds."""
    found = [dict(cell) for cell in cells]
    for entry in experiment.include:
        on_axes = {key: value for key, value in entry.items() if key in experiment.axes}
        rest = {key: value for key, value in entry.items() if key not in experiment.axes}
        fitting = [cell for cell, before in zip(found, cells, strict=False) if _fits(on_axes, before, experiment)]
        for cell in fitting:
            cell.update(rest)
        if not fitting:
            found += [
                dict(zip(entry, values, strict=True)) for values in itertools.product(*map(listed, entry.values()))
            ]
    return [{key: cell[key] for key in sorted_axes(cell)} for cell in found]


def _has_dapt(settings: Mapping[str, Any]) -> bool:
    section = settings.get("dapt", False)
    return bool(section.get("enabled", True)) if isinstance(section, Mapping) else bool(section)


def _belongs_to_dapt(key: str) -> bool:
    return key.partition(".")[0] in ("cue", "dapt", "masks")


def nested(values: Values) -> dict[str, Any]:
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


def _points(experiment: Experiment, protocol: str | None) -> tuple[str, ...]:
    return tuple(experiment.over.get(protocol.replace("-", "_"), ())) if isinstance(protocol, str) else ()
