"""The trackers of a run: told of every epoch once, across sessions; none of them can end the run."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.errors import DaptError
from dapt.files import read_json, write_json
from dapt.results import RunResults
from dapt.runs.run_folder import RunFolder
from dapt.tracking.base import Tracked
from dapt.tracking.check import trackers_of
from dapt.tracking.delivery import Delivery
from dapt.wording import counted

SCHEMA = 1
END_WAIT = 5.0  # seconds that a run that failed waits for its trackers, at most


@dataclass
class Note:
    """What tracked.json says of one tracker.

    Attributes:
        key, where: see `dapt.tracking.base.Place`. steps: epochs that it was told of.
    """

    key: str
    where: str
    steps: int


class Following:
    """What follows a run.

    Args:
        folder: of the run, which has begun. group: of the run, where the settings name none.
    """

    def __init__(self, config: RunConfig, folder: RunFolder, group: str | None = None) -> None:
        self._config = config
        self._folder = folder
        self._group = config.track_options.group or group
        self._trackers = trackers_of(config)
        self._deliveries = {name: Delivery(name) for name in self._trackers}
        self._notes: dict[str, Note] = {}
        self._told: set[str] = set()
        self._kept: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._open = True

    def start(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Begin with all trackers, and tell them what they have not been told of `lines`, the epochs so far."""
        if not self._trackers:
            return
        earlier = self._earlier()
        for name, delivery in self._deliveries.items():
            delivery.put(partial(self._begin, name, earlier.get(name)), needed=True)
        for line in lines:
            self.log(line)
        for name, delivery in self._deliveries.items():
            if not delivery.wait(self._wait):
                warn(f"The tracker {name} has not answered for {self._wait:g} s; the run goes on meanwhile.")
            elif name in self._notes:
                say(f"tracked by {name}: {self._notes[name].where}")
        self._tell()

    def log(self, line: Mapping[str, Any]) -> None:
        """The metrics of an epoch, as in metrics.jsonl."""
        figures = {name: float(value) for name, value in line.items() if name != "epoch" and value is not None}
        step = int(line["epoch"])
        for name, delivery in self._deliveries.items():
            delivery.put(partial(self._log, name, figures, step))
        self._tell()

    def finish(self, results: RunResults, epochs: int) -> None:
        """The run is done: its results are there, whatever becomes of this."""
        figures = {**results.metrics}
        for part in ("counts", "timing"):
            figures |= {f"{part}/{name}": value for name, value in getattr(results, part).items()}
        plain = {name: float(value) for name, value in figures.items() if value is not None}
        for name, delivery in self._deliveries.items():
            delivery.put(partial(self._trackers[name].finish, plain, epochs))
        self._end(self._wait)

    def failed(self, error: BaseException) -> None:
        """The run has ended with an error, or was interrupted."""
        interrupted = isinstance(error, KeyboardInterrupt)
        text = "interrupted" if interrupted else f"{type(error).__name__}: {error}"
        for name, delivery in self._deliveries.items():
            delivery.put(partial(self._trackers[name].failed, text, interrupted=interrupted))
        self._end(min(self._wait, END_WAIT))

    @property
    def _wait(self) -> float:
        return self._config.track_options.wait

    def _begin(self, name: str, earlier: Note | None) -> None:
        config, options = self._config, self._config.track_options
        about = Tracked(
            self._folder.path.name,
            options.project,
            self._group,
            config.model_dump(mode="json", exclude_none=True),
            None if earlier is None else earlier.key,
            options.wait,
        )
        place = self._trackers[name].start(about)
        known = 0 if earlier is None else earlier.steps
        self._note(name, Note(place.key, place.where, known if place.steps is None else place.steps))

    def _log(self, name: str, figures: Mapping[str, float], step: int) -> None:
        note = self._notes[name]
        if step > note.steps:
            self._trackers[name].log(figures, step)
            self._note(name, Note(note.key, note.where, step))

    def _note(self, name: str, note: Note) -> None:
        """Note where a tracker is, for a later session."""
        with self._lock:
            self._notes[name] = note
            if self._open:
                notes = {each: asdict(found) for each, found in sorted(self._notes.items())}
                with self._folder.staying():
                    tree = {"schema": SCHEMA, "trackers": {**self._kept, **notes}}
                    write_json(self._folder.tracked_file, tree, make_parents=False)

    def _earlier(self) -> dict[str, Note]:
        """What an earlier session of this run has noted."""
        if not self._folder.tracked_file.is_file():
            return {}
        try:
            self._kept = dict(read_json(self._folder.tracked_file)["trackers"])
            return {name: Note(each["key"], each["where"], int(each["steps"])) for name, each in self._kept.items()}
        except (DaptError, KeyError, TypeError, ValueError, AttributeError):
            warn(f"{self._folder.tracked_file} is damaged: the trackers begin with a new run.")
            self._kept = {}
            return {}

    def _tell(self) -> None:
        """Say of every tracker once that it fails."""
        for name, delivery in self._deliveries.items():
            if delivery.failures and name not in self._told:
                self._told.add(name)
                warn(f"The tracker {name} failed ({delivery.first}); the run goes on without waiting for it.")

    def _end(self, wait: float) -> None:
        left = [name for name, delivery in self._deliveries.items() if not delivery.wait(wait)]
        with self._lock:
            self._open = False
        self._tell()
        for name, delivery in self._deliveries.items():
            delivery.close()
            if name in left:
                warn(f"The tracker {name} has not taken everything after {wait:g} s; the run itself is complete.")
            elif delivery.failures:
                warn(f"{counted(delivery.failures, 'call')} of the tracker {name} failed; the results do not need it.")
