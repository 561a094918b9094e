"""trackio for real where it is installed, and without it by what it is called with."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dapt.config import make_config
from dapt.runs.train import run_training
from dapt.tracking.base import Tracked
from dapt.tracking.kinds.trackio import TrackioTracker
from helpers import run_with, stopping


def test_a_run_goes_on_under_its_name_behind_what_is_stored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[dict[str, object]] = []

    def init(**given: object) -> SimpleNamespace:
        print("welcome")
        asked.append(given)
        return SimpleNamespace(_next_step=3, log=lambda *_, **__: None, finish=lambda: print("done"))

    monkeypatch.setitem(sys.modules, "trackio", SimpleNamespace(init=init))
    first = TrackioTracker(None).start(Tracked("run", "dapt", "grid", {"a": 1}))
    again = TrackioTracker(None)
    second = again.start(Tracked("run", "dapt", None, {}, key=first.key))
    assert first.key.startswith("run-")
    assert first.steps is None
    assert (second.key, second.steps) == (first.key, 2)
    assert [(each["name"], each["group"], each["resume"]) for each in asked] == [
        (first.key, "grid", "allow"),
        (first.key, None, "allow"),
    ]
    again.finish({"test/accuracy": 1.0}, 3)
    assert capsys.readouterr().out == ""


@pytest.mark.long
def test_every_epoch_is_stored_once(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "store"))
    pytest.importorskip("trackio")
    import sqlite3

    config = make_config({**run_with(table, tiny_spec, tmp_path / "run", epochs=3), "track": ["trackio"]})
    with pytest.raises(KeyboardInterrupt):
        run_training(config, after_epoch=stopping(2))
    run_training(config, resume=True)
    with sqlite3.connect(tmp_path / "store" / "dapt.db") as store:
        rows = store.execute("select step, metrics from metrics order by id").fetchall()
    assert [step for step, content in rows if b'"loss"' in content] == [1, 2, 3]
    assert [step for step, content in rows if b'"test/accuracy"' in content] == [3]
