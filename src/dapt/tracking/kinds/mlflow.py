"""MLflow: into the store that its environment names, else into a database in the folder of the call."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from dapt.strict import PartOptions
from dapt.tracking.base import TRACKERS, Figures, Place, Tracked, Tracker

TRIES = 5  # of several runs that make one database at the same time all but one fail at first
PAUSE = 0.5  # seconds
LONGEST = 6000  # letters of a parameter
AT_ONCE = 100  # parameters


class MlflowOptions(PartOptions):
    """Everything else is set as everywhere with MLflow: ``MLFLOW_TRACKING_URI``, ``MLFLOW_TRACKING_TOKEN``, ..."""

    uri: str | None = Field(
        None, description="Server or store; none: $MLFLOW_TRACKING_URI, else MLflow's own default, mlflow.db here."
    )


@TRACKERS.register("mlflow")
class MlflowTracker(Tracker):
    """One run of MLflow, in an experiment called as the group, else as the project."""

    package = extra = "mlflow"
    options_type = MlflowOptions

    def start(self, run: Tracked) -> Place:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it goes through the network
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # of seven, the last wait for minutes
        import mlflow

        for name, level in (("mlflow", logging.WARNING), ("alembic", logging.WARNING), ("urllib3", logging.ERROR)):
            logging.getLogger(name).setLevel(level)
        self._store: Any = self._opened(mlflow)
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or run.group or run.project
        self._run_id = run.key or self._new(run, experiment)
        if run.key is not None:
            self._store.update_run(run.key, status="RUNNING")
        steps = [each.step for each in self._store.get_metric_history(self._run_id, "seconds")]
        uri = self._store.tracking_uri
        return Place(self._run_id, f"{uri}, experiment {experiment}, run {self._run_id}", max(steps, default=0))

    def log(self, figures: Figures, step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, float(value), now, step) for name, value in sorted(figures.items())]
        self._store.log_batch(self._run_id, metrics=metrics)  # with "seconds" all of an epoch, or nothing

    def finish(self, results: Figures, step: int) -> None:
        self.log(results, step)
        self._store.set_terminated(self._run_id, "FINISHED")

    def failed(self, error: str, *, interrupted: bool) -> None:
        self._store.set_tag(self._run_id, "dapt.error", error[:LONGEST])
        self._store.set_terminated(self._run_id, "KILLED" if interrupted else "FAILED")

    def _opened(self, mlflow: Any) -> Any:
        """The store, once it is there; a server that cannot be reached has been tried several times by MLflow."""
        address = str(self.options.uri or mlflow.get_tracking_uri())
        for left in range(0 if address.startswith("http") else TRIES - 1, -1, -1):
            try:
                store = mlflow.MlflowClient(tracking_uri=address)
                store.search_experiments(max_results=1)
                return store
            except Exception:
                if not left:
                    raise
                time.sleep(PAUSE)
        return None

    def _new(self, run: Tracked, experiment: str) -> str:
        from mlflow.entities import Param

        found = self._store.get_experiment_by_name(experiment)
        if found is None:
            try:
                number = self._store.create_experiment(experiment)
            except Exception:  # another run has made it meanwhile
                found = self._store.get_experiment_by_name(experiment)
                if found is None:
                    raise
        number = number if found is None else found.experiment_id
        tags = {"dapt.project": run.project, **({"dapt.group": run.group} if run.group else {})}
        key = str(self._store.create_run(number, run_name=run.name, tags=tags).info.run_id)
        settings = [Param(name, value[:LONGEST]) for name, value in _flat(run.config)]
        for start in range(0, len(settings), AT_ONCE):
            self._store.log_batch(key, params=settings[start : start + AT_ONCE])
        return key


def _flat(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None:
            yield f"{before}{name}", str(value)
