"""trackio: into its own store on this machine, or the space or server that its environment names."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from typing import Any

from dapt.tracking.base import TRACKERS, Figures, Place, Tracked, Tracker


@TRACKERS.register("trackio")
class TrackioTracker(Tracker):
    """One run of trackio; it is known by its name, which has some letters of its own for that.

    Everything is set as everywhere with trackio: ``TRACKIO_DIR``, ``TRACKIO_SPACE_ID``, ``TRACKIO_SERVER_URL``, ...
    """

    package = extra = "trackio"

    def start(self, run: Tracked) -> Place:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        import trackio

        key = run.key or f"{run.name}-{os.urandom(3).hex()}"
        with redirect_stdout(io.StringIO()):  # what it tells would stand among the figures
            self._run: Any = trackio.init(
                project=run.project,
                name=key,
                group=run.group,
                config=dict(run.config),
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
        following = getattr(self._run, "_next_step", None)  # where the store has it from: it writes with a delay
        known = following - 1 if run.key and isinstance(following, int) else None
        return Place(key, f"project {run.project}, run {key}", None if known is None else max(known, 0))

    def log(self, figures: Figures, step: int) -> None:
        self._run.log(dict(figures), step=step)

    def finish(self, results: Figures, step: int) -> None:
        self._run.log(dict(results), step=step)
        self._end()

    def failed(self, error: str, *, interrupted: bool) -> None:
        self._end()

    def _end(self) -> None:
        with redirect_stdout(io.StringIO()):
            self._run.finish()
