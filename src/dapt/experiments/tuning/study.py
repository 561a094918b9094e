"""The file study.json of a search: what is searched, and every trial with what has become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dapt.errors import ConfigError, DataError
from dapt.experiments.tuning.space import Space
from dapt.files import read_json, write_json
from dapt.methods.search import Choice

STUDY = "study.json"
SCHEMA = 1
RUNNING, DONE, PRUNED, FAILED = "running", "done", "pruned", "failed"


@dataclass
class Trial:
    """A trial.

    Attributes:
        number: from 0. values: by dotted key of run.yaml. state: running (or interrupted), done, pruned or failed.
        accuracy: in percent on the validation images, once done. epochs: the same after every epoch.
        error: why it failed, in a line.
    """

    number: int
    values: dict[str, Any]
    state: str = RUNNING
    accuracy: float | None = None
    epochs: list[float] = field(default_factory=list)
    error: str | None = None


class Study:
    """The trials of a search, kept in study.json, which is written as a whole after every change.

    Args:
        folder: of the search. settings: what all trials share. space: what is searched.

    Raises:
        ConfigError: the folder holds another search. DataError: its study.json cannot be read.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], space: Space) -> None:
        self.file = folder / STUDY
        self.space = space
        self._about = {"schema": SCHEMA, "settings": dict(settings), "space": _plain(space)}
        self.trials = self._read() if self.file.is_file() else []

    def _read(self) -> list[Trial]:
        try:
            before = read_json(self.file)
            trials = [Trial(**trial) for trial in before["trials"]]
            about = {key: before.get(key) for key in self._about}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(
                f"{self.file} is no study of dapt tune, or is damaged.", todo="Choose another --out, or remove it."
            ) from error
        if [trial.number for trial in trials] != list(range(len(trials))):
            raise DataError(f"The trials in {self.file} are not in order.", todo="Choose another --out.")
        different = [key for key in self._about if about[key] != self._about[key]]
        if different:
            other = f"{'other' if different[0].endswith('s') else 'another'} {different[0]}"
            raise ConfigError(
                f"{self.file} is of a search with {other}.",
                todo="Choose another --out, or give it the settings and --space that it was begun with.",
            )
        return trials

    def write(self) -> None:
        """Keep the trials as they are now."""
        write_json(self.file, {**self._about, "trials": [asdict(trial) for trial in self.trials]})

    def ranked(self) -> list[Trial]:
        """The finished trials, the best first; of equal ones the earlier first."""
        return sorted(
            (trial for trial in self.trials if trial.state == DONE and trial.accuracy is not None),
            key=lambda trial: (-(trial.accuracy or 0.0), trial.number),
        )

    def count(self, state: str) -> int:
        """How many trials are in a state."""
        return sum(trial.state == state for trial in self.trials)


def _plain(space: Space) -> dict[str, Any]:
    return {key: list(each.values) if isinstance(each, Choice) else asdict(each) for key, each in space.items()}
