"""The experiment file: which runs there are to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.errors import ConfigError, did_you_mean
from dapt.experiments.grid.axes import PLURALS, axis_of, sorted_axes, values_of
from dapt.experiments.protocols.base import PROTOCOLS, points_of
from dapt.experiments.stores import is_address, mirror_of
from dapt.paths import with_home
from dapt.strict import check_value
from dapt.validation import brief
from dapt.yaml_text import parse_yaml

RESERVED = ("name", "about", "out", "vary", "include", "exclude", "over", "retries")


@dataclass(frozen=True)
class Experiment:
    """What an experiment file says.

    Attributes:
        name: of the experiment. out: folder of all its runs. about: what it is and needs, in words.
        axes: values to go over, by setting. fixed: settings that all runs share.
        vary: what is changed one at a time, in every cell. exclude: cells left out.
        include: each adds settings to the cells that it fits, or is a cell of its own.
        over: points of protocols, by their name. retries: how often a run goes on after something that may pass.
    """

    name: str
    out: Path
    axes: dict[str, list[Any]] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    vary: tuple[dict[str, Any], ...] = ()
    include: tuple[dict[str, Any], ...] = ()
    exclude: tuple[dict[str, Any], ...] = ()
    over: dict[str, list[str]] = field(default_factory=dict)
    retries: int = 1
    about: str = ""
    store: str | None = None


def with_values(tree: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """What an experiment file holds, with other values for some of its keys.

    Args:
        settings: ``KEY=VALUE``, the value in YAML; the key as in the file, or another one.

    Raises:
        ConfigError: one of them is not ``KEY=VALUE``, or no YAML.
    """
    found = dict(tree)
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator or not key:
            raise ConfigError(
                f"--set {brief(setting)} is not KEY=VALUE.", todo='Write, for example, --set "seeds=[1, 2]".'
            )
        same = PLURALS.get(key, key)
        before = [name for name in found if PLURALS.get(name, name) == same]
        for name in before:
            del found[name]
        found[key] = parse_yaml(text, f"The value in --set {brief(setting)}")
    return found


def make_experiment(tree: Mapping[str, Any], stem: str, out: str | None = None, where: str = "") -> Experiment:
    """The experiment that a file describes.

    Args:
        tree: content of the YAML file. stem: name of the experiment where the tree gives none.
        out: in the place of what the file says. where: the file, for messages.

    Raises:
        ConfigError: it has an unknown key or an empty list, or names a setting twice.
    """
    try:
        check_value(dict(tree))
        return _made(tree, stem, out)
    except ConfigError as error:
        raise ConfigError(error.what, where=error.where or where, todo=error.todo, more=error.more) from None
    except ValueError as error:
        raise ConfigError(str(error), where=where) from None


def _made(tree: Mapping[str, Any], stem: str, out: str | None) -> Experiment:
    name = tree.get("name", stem)
    if not isinstance(name, str) or not name:
        raise ConfigError(f"'name' is {name!r}; it is a text.")
    place = out or tree.get("out") or str(Path("runs") / name)
    if not isinstance(place, str):
        raise ConfigError(f"'out' is {place!r}; it is a folder.")
    store = place if is_address(place) else None
    axes: dict[str, list[Any]] = {}
    fixed: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for key, given in tree.items():
        if key in RESERVED:
            continue
        setting = axis_of(key)
        if setting in seen:
            raise ConfigError(f"'{key}' and '{seen[setting]}' are the same.", todo="Keep one of them.")
        seen[setting] = key
        values = values_of(key, setting, given)
        if values is None:
            fixed[setting] = given
        else:
            axes[setting] = values
    if "data" not in seen:
        raise ConfigError("No data was named.", todo="Write, for example, data: [oxford_pets, dtd].")
    about = tree.get("about") or ""
    if not isinstance(about, str):
        raise ConfigError(f"'about' is {about!r}; it is a text.")
    retries = tree.get("retries", 1)
    if not isinstance(retries, int) or isinstance(retries, bool) or not 0 <= retries <= 100:
        raise ConfigError(f"'retries' is {retries!r}; it is a number from 0 to 100.")
    return Experiment(
        name=name,
        out=mirror_of(store) if store else Path(with_home(place)),
        axes={key: axes[key] for key in sorted_axes(axes)},
        fixed=fixed,
        vary=_entries(tree, "vary"),
        include=_entries(tree, "include"),
        exclude=_entries(tree, "exclude"),
        over=_points(tree.get("over"), known="plugins" not in tree),
        retries=retries,
        about=about.strip(),
        store=store,
    )


def _entries(tree: Mapping[str, Any], key: str) -> tuple[dict[str, Any], ...]:
    """The mappings under ``vary``, ``include`` or ``exclude``, their keys as settings."""
    given = tree.get(key)
    entries = [] if given is None else given if isinstance(given, list) else [given]
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or not entry:
            raise ConfigError(f"'{key}' holds {entry!r}; each entry is keys and values, as in {{method: coop}}.")
        named = [(axis_of(each), value) for each, value in entry.items()]
        if key != "exclude":  # there, values that come to the same do no harm
            for each, value in entry.items():
                values_of(each, axis_of(each), value)
        if len({each for each, _ in named}) != len(named):
            raise ConfigError(f"An entry of '{key}' names a setting twice: {', '.join(entry)}.")
        found.append(dict(named))
    return tuple(found)


def _points(given: Any, *, known: bool) -> dict[str, list[str]]:
    """``over``: points of protocols, as texts.

    Args:
        known: the protocols of dapt are all that there are, because the file names no plugins.
    """
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(isinstance(points, list) and points for points in given.values()):
        raise ConfigError("'over' names points for protocols, as in over: {few_shot: [1, 4, 16]}.")
    found = {str(key).replace("-", "_"): list(points_of(points)) for key, points in given.items()}
    if strange := [name for name in found if known and name not in PROTOCOLS.names()]:
        raise ConfigError(
            f"'over' names points of {strange[0]}, which is no protocol.",
            todo=did_you_mean(strange[0], PROTOCOLS.names()),
        )
    return found
