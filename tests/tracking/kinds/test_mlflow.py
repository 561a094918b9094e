"""MLflow for real, into a database on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.runs.train import run_training
from dapt.tracking.kinds.mlflow import _flat
from helpers import run_with, stopping


def test_settings_have_dotted_names() -> None:
    tree = {"a": 1, "b": {"c": None, "d": {"e": [1, 2]}}}
    assert list(_flat(tree)) == [("a", "1"), ("b.d.e", "[1, 2]")]


@pytest.mark.long
def test_a_run_is_one_run_there_across_sessions(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/tracked.db"
    options = {"group": "grid", "mlflow": {"uri": uri}}
    settings = {**run_with(table, tiny_spec, tmp_path / "run", epochs=3), "track": ["mlflow"]}
    config = make_config({**settings, "track_options": options})
    from mlflow import MlflowClient

    store = MlflowClient(tracking_uri=uri)

    def runs():
        return store.search_runs([store.get_experiment_by_name("grid").experiment_id])

    with pytest.raises(KeyboardInterrupt):
        run_training(config, after_epoch=stopping(2))
    (run,) = runs()
    assert run.info.status == "KILLED"
    results = run_training(config, resume=True)
    (run,) = runs()
    assert (run.info.status, run.info.run_name) == ("FINISHED", "run")
    assert run.data.params["method"] == "maple"
    assert run.data.params["cue.source"]
    assert run.data.metrics["test/accuracy"] == pytest.approx(results.metrics["test/accuracy"])
    for name in ("loss", "seconds"):
        assert [each.step for each in store.get_metric_history(run.info.run_id, name)] == [1, 2, 3]
    assert run.data.tags["dapt.group"] == "grid"


@pytest.mark.long
def test_a_server_that_cannot_be_reached_ends_nothing(
    table: Path, tiny_spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow")
    settings = {**run_with(table, tiny_spec, tmp_path / "run", epochs=1), "track": ["mlflow"]}
    run_training(make_config({**settings, "track_options": {"mlflow": {"uri": "http://127.0.0.1:9"}}}))
    assert capsys.readouterr().err.count("The tracker mlflow failed") == 1
    assert (tmp_path / "run" / "results.json").is_file()
