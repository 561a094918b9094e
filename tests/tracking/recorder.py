"""A tracker that writes down what it is told, and fails or waits where a test wants that."""

from __future__ import annotations

import threading
from typing import Any

from dapt.tracking.base import TRACKERS, Place, Tracked, Tracker

NAME = "recorder"


class Recorder(Tracker):
    """What was told, by the call; `broken` calls fail, `hangs` waits for ever in all."""

    told: list[tuple[Any, ...]]
    broken: tuple[str, ...] = ()
    hangs: threading.Event | None = None
    steps: int | None = None

    def _take(self, *told: Any) -> None:
        kind = type(self)
        if kind.hangs is not None:
            kind.hangs.wait()
        if told[0] in kind.broken:
            raise OSError(28, "No space left on device")
        kind.told.append(told)

    def start(self, run: Tracked) -> Place:
        self._take("start", run.name, run.key, run.group, run.config["method"])
        return Place(run.key or "first", "in memory", type(self).steps)

    def log(self, figures: Any, step: int) -> None:
        self._take("log", step, dict(figures))

    def finish(self, results: Any, step: int) -> None:
        self._take("finish", step, dict(results))

    def failed(self, error: str, *, interrupted: bool) -> None:
        self._take("failed", error, interrupted)


def registered() -> type[Recorder]:
    """A fresh recorder, as the tracker `NAME`."""

    class Fresh(Recorder):
        told: list[tuple[Any, ...]] = []  # noqa: RUF012 - of this class alone

    TRACKERS.names()
    TRACKERS.add(NAME, Fresh, overwrite=True)
    return Fresh
