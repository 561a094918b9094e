"""From an experiment to its cells: every combination of values, less what is excluded, with what is included."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from dapt.errors import ConfigError
from dapt.experiments.grid.axes import listed, sorted_axes, takes_lists
from dapt.experiments.grid.cell_names import named
from dapt.experiments.grid.experiment import Experiment
from dapt.experiments.grid.nested import comes_to, nested
from dapt.experiments.protocols.base import reads_masks

Values = dict[str, Any]  # by setting
DAPTS_OWN = {"cue", "dapt", "masks"}  # settings that decide nothing of a run without DAPT
MOST = 100_000  # combinations: to look at more before the first run takes hours


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
            that come to the same as another one. remarks: a sentence for each part of the file that decides nothing.
    """

    cells: list[Cell]
    excluded: int = 0
    equal: int = 0
    remarks: list[str] = field(default_factory=list)


def expand(experiment: Experiment) -> Cells:
    """All cells of an experiment.

    As in the matrices of continuous integration: an entry of ``include`` adds its settings to every cell whose axes
    have the entry's values; one that fits no cell is a cell of its own. An entry of ``vary`` makes a further cell of
    every one, with its settings in the place of the cell's; a list in it one for each value. A cell without DAPT has
    no cue, and masks only where its protocol looks at them.

    Raises:
        ConfigError: nothing is left, there are too many combinations, two entries of ``include`` contradict each other
            in a cell, two cells have the same folder, or a key goes through one that is no section.
    """
    _check_number(experiment)
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
            idle = DAPTS_OWN - ({"masks"} if reads_masks(protocol) else set())
            values = {key: value for key, value in values.items() if key.partition(".")[0] not in idle}
            settings = {key: value for key, value in settings.items() if key not in idle}
        if settings.get("track"):
            settings["track_options"] = {"group": experiment.name, **(settings.get("track_options") or {})}
        key = json.dumps([{name: _meant(name, value) for name, value in settings.items()}, protocol], sort_keys=True)
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
    remarks = [f"An entry of 'exclude' fits nothing: {entry}." for entry in unused] + _idle(experiment, made)
    return Cells(made, len(combined) - len(kept), len(rows) - len(cells), remarks)


def _meant(name: str, value: Any) -> Any:
    """A value of a setting, or for a number or text what a run makes of it: 1.0 is the seed 1."""
    return _taken_as(name, value) if isinstance(value, int | float | str) else value


@lru_cache(maxsize=4096, typed=True)
def _taken_as(name: str, value: Any) -> str:
    return comes_to(name, value)


def _check_number(experiment: Experiment) -> None:
    """Refuse more combinations than can be looked at, before they are made.

    Raises:
        ConfigError: naming their number, and how it comes about.
    """
    lengths = {key: len(values) for key, values in experiment.axes.items()}
    varied = sum(math.prod(len(_each(key, value)) for key, value in entry.items()) for entry in experiment.vary)
    added = sum(math.prod(len(listed(value)) for value in entry.values()) for entry in experiment.include)
    total = math.prod(lengths.values()) * (1 + varied) + added
    if total > MOST:
        told = [f"{count} of {key}" for key, count in lengths.items() if count > 1]
        told += [f"{varied} of 'vary'"] if varied else []
        told += [f"{added} of 'include'"] if added > 1 else []
        raise ConfigError(
            f"There are {total:,} combinations ({', '.join(told)}); an experiment has at most {MOST:,}.",
            todo="Go over fewer values, or make several experiments of it.",
        )


def _idle(experiment: Experiment, cells: list[Cell]) -> list[str]:
    """What the file says that decides nothing in any of its cells."""
    protocols = {cell.protocol.replace("-", "_") for cell in cells if isinstance(cell.protocol, str)}
    found = [
        f"'over' names points of {name}, which no cell has as its protocol."
        for name in experiment.over
        if name not in protocols
    ]
    given = [key for key in (*experiment.axes, *experiment.fixed) if key.partition(".")[0] == "cue"]
    if given and not any(_has_dapt(cell.settings) for cell in cells):
        found.append(f"'{given[0]}' decides nothing: no cell has DAPT, and without it there is no cue.")
    return found


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
    """The cells with what ``include`` adds to them, then those that it adds.

    Raises:
        ConfigError: two entries give a cell different values of a setting.
    """
    found = [dict(cell) for cell in cells]
    by: list[dict[str, Values]] = [{} for _ in cells]  # which entry has set what, for each cell
    for entry in experiment.include:
        on_axes = {key: value for key, value in entry.items() if key in experiment.axes}
        rest = {key: value for key, value in entry.items() if key not in experiment.axes}
        fitting = [place for place, before in enumerate(cells) if _fits(on_axes, before, experiment)]
        for place in fitting:
            for key, value in rest.items():
                other = by[place].setdefault(key, entry)
                if other[key] != value:
                    raise ConfigError(
                        f"Two entries of 'include' give one cell different values of {key}: {other} and {entry}.",
                        todo="Let each fit other cells, or keep one of them.",
                    )
            found[place].update(rest)
        if not fitting:
            found += [
                dict(zip(entry, values, strict=True)) for values in itertools.product(*map(listed, entry.values()))
            ]
    return [{key: cell[key] for key in sorted_axes(cell)} for cell in found]


def _has_dapt(settings: Mapping[str, Any]) -> bool:
    section = settings.get("dapt", False)
    return bool(section.get("enabled", True)) if isinstance(section, Mapping) else bool(section)


def _points(experiment: Experiment, protocol: str | None) -> tuple[str, ...]:
    return tuple(experiment.over.get(protocol.replace("-", "_"), ())) if isinstance(protocol, str) else ()
