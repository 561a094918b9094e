"""What a protocol is: the runs it consists of, and what they are evaluated on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, ClassVar

from dapt.config import RunConfig, make_config
from dapt.errors import ConfigError
from dapt.registry import Registry

Settings = Mapping[str, Any]
Over = str | PurePath | float | Iterable[str | PurePath | float]


@dataclass(frozen=True)
class OtherData:
    """A finished run to be evaluated on other data.

    Attributes:
        point: what the row is called. run: name of the run among `Plan.runs`. data: a data set.
    """

    point: str
    run: str
    data: str


@dataclass(frozen=True)
class AuditOf:
    """A finished run to be audited on the test images of its own data.

    Attributes:
        point: what the row is called. run: name of the run among `Plan.runs`. backgrounds: other data that lends
            backgrounds, too; empty: none.
    """

    point: str
    run: str
    backgrounds: str = ""


@dataclass(frozen=True)
class Plan:
    """What a protocol does for one method, data set and seed.

    Attributes:
        runs: configuration of each run by the name of its row; its `out` lies in the protocol's folder.
        evaluations: of finished runs on other data.
        averaged: rows whose mean is reported, empty: there is no mean to report. audits: of finished runs.
    """

    runs: dict[str, RunConfig]
    evaluations: tuple[OtherData, ...] = ()
    averaged: tuple[str, ...] = ()
    audits: tuple[AuditOf, ...] = ()


@dataclass(frozen=True)
class Protocol(ABC):
    """A protocol.

    Attributes:
        over: what it goes over (shots, fractions, data sets), as text from the command line; empty: as published.
        name: under which it is registered. title, paper: for people. points: what `over` lists, in words.
        reads_masks: it looks at masks of the data also where nothing is trained with them.
    """

    over: tuple[str, ...] = ()
    name: str = ""
    title: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    points: ClassVar[str] = ""
    reads_masks: ClassVar[bool] = False

    @abstractmethod
    def plan(self, settings: Settings, out: Path) -> Plan:
        """The runs and evaluations, each run in a folder of its own under `out`.

        Args:
            settings: nested mapping as in run.yaml; what it leaves open is filled in for each run, because a method
                may ask for other epochs with fewer shots.

        Raises:
            ConfigError: settings that contradict the protocol.
        """


def changed(settings: Settings, **changes: object) -> RunConfig:
    """The configuration with some settings made anew."""
    return make_config({**settings, **changes})


def number(text: str, kind: type[int] | type[float], protocol: Protocol) -> float:
    try:
        return kind(text)
    except ValueError:
        raise ConfigError(f"--over {text}: {protocol.name} goes over {protocol.points}.") from None


def need_all_classes(settings: Settings, protocol: Protocol) -> None:
    if settings.get("subset", "all") != "all":
        raise ConfigError(
            f"{protocol.name} trains on all classes, not on subset: {settings['subset']}.",
            todo="Leave --subset out; base classes are for --protocol base_to_novel.",
        )


def need_open_classes(settings: Settings, protocol: Protocol) -> None:
    """Refuse methods that can only name the classes they were trained on, before anything is trained."""
    config = make_config(settings)
    if config.recipe.load_architecture().binds_classes(config.options):
        raise ConfigError(
            f"What {config.method} learns belongs to its training classes, so it cannot take part in {protocol.name}.",
            todo="Choose a method with prompts that any class shares, such as maple.",
        )


PROTOCOLS: Registry[type[Protocol]] = Registry("protocol", "dapt.experiments.protocols")


def get_protocol(name: str, over: Over = ()) -> Protocol:
    """The protocol of that name.

    Args:
        over: its points, see `points_of`.

    Raises:
        ConfigError: there is none; the message names the closest one. Or a point is named twice, or is none.
    """
    kind = PROTOCOLS.get(name.replace("-", "_"))
    points = points_of(over)
    twice = next((point for point in points if points.count(point) > 1), None)
    if twice is not None:
        raise ConfigError(f"--over names {twice} twice.", todo="Name every point once.")
    return kind(points, name.replace("-", "_"))


def points_of(over: Over) -> tuple[str, ...]:
    """Points as texts: texts, paths and numbers are taken, and a single one for a list of itself.

    Raises:
        ConfigError: one of them is something else, or empty.
    """
    points: list[Any] = [over] if isinstance(over, str | PurePath | int | float) else list(over)
    strange = [
        each
        for each in points
        if isinstance(each, bool) or not isinstance(each, str | PurePath | int | float) or each == ""
    ]
    if strange:
        raise ConfigError(
            f"--over names {strange[0]!r}, which is no point of a protocol.",
            todo="Name numbers, or data by name or path.",
        )
    return tuple(map(str, points))


def reads_masks(name: object) -> bool:
    """Whether a protocol of dapt's own, or of a plugin that is loaded, looks at masks whatever it trains."""
    if not isinstance(name, str):
        return False
    known = name.replace("-", "_")
    return known in PROTOCOLS.names() and PROTOCOLS.get(known).reads_masks
