"""Trackers follow runs: every epoch once, and no run depends on them."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file

from dapt.config import make_config
from dapt.runs.train import run_training
from helpers import run_with, stopping

sys.path.insert(0, str(Path(__file__).parents[1] / "tracking"))
from recorder import NAME, Recorder, registered


@pytest.fixture
def recorder() -> Iterator[type[Recorder]]:
    from dapt.tracking.base import TRACKERS

    kind = registered()
    yield kind
    TRACKERS._values.pop(NAME, None)


def told(kind: type[Recorder]) -> list[tuple[object, ...]]:
    return [each[:2] for each in kind.told]


def followed(table: Path, spec: str, out: Path, **changes: object):
    return make_config({**run_with(table, spec, out, epochs=3), "track": [NAME], **changes})


def test_a_run_is_told_from_beginning_to_end(
    table: Path, tiny_spec: str, tmp_path: Path, recorder: type[Recorder]
) -> None:
    results = run_training(followed(table, tiny_spec, tmp_path / "run", track_options={"group": "ours"}))
    assert told(recorder) == [("start", "run"), ("log", 1), ("log", 2), ("log", 3), ("finish", 3)]
    assert recorder.told[0][3] == "ours"
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [each[2] for each in recorder.told[1:4]] == [
        {name: value for name, value in line.items() if name != "epoch"} for line in lines
    ]
    assert recorder.told[-1][2]["test/accuracy"] == results.metrics["test/accuracy"]
    note = json.loads((tmp_path / "run" / "tracked.json").read_text())
    assert note["trackers"] == {NAME: {"key": "first", "where": "in memory", "steps": 3}}


def test_results_are_those_of_a_run_that_nobody_follows(
    table: Path, tiny_spec: str, tmp_path: Path, recorder: type[Recorder]
) -> None:
    one = run_training(followed(table, tiny_spec, tmp_path / "one"))
    two = run_training(followed(table, tiny_spec, tmp_path / "two", track=[]))
    assert one.metrics == two.metrics
    left, right = (load_file(tmp_path / name / "prompts.safetensors") for name in ("one", "two"))
    assert all((left[name] == right[name]).all() for name in left)
    assert not (tmp_path / "two" / "tracked.json").exists()


@pytest.mark.parametrize("steps", [None, 0, 1])
def test_what_was_interrupted_goes_on_under_its_key_without_double_steps(
    table: Path, tiny_spec: str, tmp_path: Path, recorder: type[Recorder], steps: int | None
) -> None:
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run_training(followed(table, tiny_spec, out), after_epoch=stopping(2))
    assert told(recorder) == [("start", "run"), ("log", 1), ("log", 2), ("failed", "interrupted")]
    recorder.told.clear()
    recorder.steps = steps  # None: the tracker cannot tell, so that what is noted counts
    run_training(followed(table, tiny_spec, out), resume=True)
    first = 3 if steps is None else steps + 1
    assert told(recorder) == [("start", "run"), *(("log", step) for step in range(first, 4)), ("finish", 3)]
    assert recorder.told[0][2] == "first"


def test_trackers_may_come_and_go_when_a_run_is_resumed(
    table: Path, tiny_spec: str, tmp_path: Path, recorder: type[Recorder]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_training(followed(table, tiny_spec, tmp_path / "run", track=[]), after_epoch=stopping(1))
    run_training(followed(table, tiny_spec, tmp_path / "run"), resume=True)
    assert told(recorder) == [("start", "run"), ("log", 1), ("log", 2), ("log", 3), ("finish", 3)]


@pytest.mark.parametrize(("broken", "count"), [(("start",), 5), (("log",), 3), (("finish",), 1), (("start", "log"), 5)])
def test_a_tracker_that_fails_ends_nothing_and_is_told_once(
    table: Path,
    tiny_spec: str,
    tmp_path: Path,
    recorder: type[Recorder],
    capsys: pytest.CaptureFixture[str],
    broken: tuple[str, ...],
    count: int,
) -> None:
    recorder.broken = broken
    results = run_training(followed(table, tiny_spec, tmp_path / "run"))
    assert results.metrics["test/accuracy"] is not None
    said = capsys.readouterr().err
    assert said.count("The tracker recorder failed (OSError: [Errno 28] No space left on device)") == 1
    assert f"{count} call{'' if count == 1 else 's'} of the tracker recorder failed" in said


def test_a_tracker_that_never_answers_is_not_waited_for(
    table: Path, tiny_spec: str, tmp_path: Path, recorder: type[Recorder], capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.hangs = threading.Event()
    run_training(followed(table, tiny_spec, tmp_path / "run", track_options={"wait": 0.1}))
    said = capsys.readouterr().err
    assert "has not answered for 0.1 s" in said
    assert "has not taken everything" in said
    assert (tmp_path / "run" / "results.json").is_file()
    recorder.hangs.set()


def test_a_run_that_fails_is_told(
    table: Path, tiny_spec: str, tmp_path: Path, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr("dapt.runs.execute.finish_run", fail)
    with pytest.raises(RuntimeError):
        run_training(followed(table, tiny_spec, tmp_path / "run"))
    assert recorder.told[-1] == ("failed", "RuntimeError: no more", False)


def test_a_note_that_is_damaged_begins_anew(
    table: Path, tiny_spec: str, tmp_path: Path, recorder: type[Recorder], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_training(followed(table, tiny_spec, tmp_path / "run"), after_epoch=stopping(1))
    (tmp_path / "run" / "tracked.json").write_text('{"trackers": {"recorder": 5}}')
    recorder.told.clear()
    run_training(followed(table, tiny_spec, tmp_path / "run"), resume=True)
    assert "tracked.json is damaged" in capsys.readouterr().err
    assert recorder.told[0][2] is None
    assert told(recorder)[1:] == [("log", 1), ("log", 2), ("log", 3), ("finish", 3)]
