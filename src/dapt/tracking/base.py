"""What a tracker is: it is told of a run as it goes on, and decides nothing about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dapt.registry import Registry
from dapt.strict import PartOptions

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Tracked:
    """A run that is followed.

    Attributes:
        name: of the run. project, group: what it belongs to; group None: it is a run of its own.
        config: its settings, as in run.yaml. key: what the tracker called it in an earlier session, None in the first.
        wait: seconds after which a service counts as out of reach.
    """

    name: str
    project: str
    group: str | None
    config: Mapping[str, Any]
    key: str | None = None
    wait: float = 30.0


@dataclass(frozen=True)
class Place:
    """Where a tracker keeps a run.

    Attributes:
        key: by which it goes on with it in a later session. where: for people.
        steps: the epochs that it has been told of already, where it can tell; None: it cannot.
    """

    key: str
    where: str
    steps: int | None = None


class Tracker(ABC):
    """Follows one run. Its calls come one after the other from one thread, which is not that of the training.

    Whatever it raises is told once and counted; the run goes on without it.

    Attributes:
        package: what has to be installed for it, as it is imported. extra: of dapt, which installs that; empty: none.
        options_type: its options, ``track_options.NAME`` in YAML.
    """

    package: ClassVar[str] = ""
    extra: ClassVar[str] = ""
    options_type: ClassVar[type[PartOptions]] = PartOptions

    def __init__(self, options: Any) -> None:
        self.options = options

    @abstractmethod
    def start(self, run: Tracked) -> Place:
        """Begin to follow a run, or go on with it."""

    @abstractmethod
    def log(self, figures: Figures, step: int) -> None:
        """The figures of an epoch, from 1; each is told once, in order."""

    @abstractmethod
    def finish(self, results: Figures, step: int) -> None:
        """The run is done; the figures of its results, after so many epochs."""

    @abstractmethod
    def failed(self, error: str, *, interrupted: bool) -> None:
        """The run has ended with an error, or was interrupted; it may go on later."""


TRACKERS: Registry[type[Tracker]] = Registry("tracker", "dapt.tracking.kinds")
