"""What a killed run leaves: its log and its curves up to the last epoch, not only its state."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.runs.events import events_content
from dapt.runs.train import run_training
from helpers import run_with


def scalars(path: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(path)).Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_log_and_curves_are_written_epoch_by_epoch(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    seen = []

    def look(progress) -> None:
        log = (out / "log.txt").read_text()
        (events,) = out.glob("events.*")
        seen.append((f"epoch {progress.epoch}/3" in log, scalars(events)["loss"]))

    run_training(make_config(run_with(table, tiny_spec, out, epochs=3)), after_epoch=look)
    assert [said for said, _ in seen] == [True] * 3
    losses = [loss for _, loss in seen]
    assert [len(loss) for loss in losses] == [1, 2, 3]
    assert losses[2][:2] == losses[1]
    (events,) = out.glob("events.*")
    assert scalars(events)["test/accuracy"][0][0] == 3
    assert scalars(events)["loss"] == losses[2]


def test_a_run_that_fails_in_its_first_epoch_has_a_log(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    seen = []

    def die(*_: object) -> None:
        seen.append((out / "log.txt").read_text())
        raise KeyboardInterrupt

    monkeypatch.setattr("dapt.training.fit.Fitter.fit", die)
    with pytest.raises(KeyboardInterrupt):
        run_training(make_config(run_with(table, tiny_spec, out)))
    assert "trainable parameters" in seen[0]


def test_curves_keep_the_times_of_their_epochs(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    lines = [{"epoch": epoch, "loss": 1.0 / epoch, "seconds": 10.0} for epoch in (1, 2, 3)]
    path = tmp_path / "events.out.tfevents.0.x"
    path.write_bytes(events_content(lines))
    times = [event.wall_time for event in EventAccumulator(str(path)).Reload().Scalars("loss")]
    assert [round(b - a, 3) for a, b in pairwise(times)] == [10.0, 10.0]
