"""The TensorBoard file of a run, read back by TensorBoard."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.runs.events import events_content

LINES = [
    {"epoch": 1, "seconds": 2.0, "train/loss": 1.5, "val/accuracy": None},
    {"epoch": 2, "seconds": 4.0, "train/loss": 0.5, "val/accuracy": 75.0},
]


def read(path: Path, content: bytes) -> dict[str, list[tuple[int, float, float]]]:
    """Step, value and time of each tag, as the board sees them."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    path.write_bytes(content)
    found: dict[str, list[tuple[int, float, float]]] = {}
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, float(make_ndarray(value.tensor)), event.wall_time))
    return found


def test_every_figure_stands_at_its_epoch_and_the_results_at_the_last(tmp_path: Path) -> None:
    found = read(tmp_path / "events", events_content(LINES, {"test/accuracy": 80.5, "test/ece": None}))
    assert {tag: [row[:2] for row in rows] for tag, rows in found.items()} == {
        "seconds": [(1, 2.0), (2, 4.0)],
        "train/loss": [(1, 1.5), (2, 0.5)],
        "val/accuracy": [(2, 75.0)],  # what does not apply is left out
        "test/accuracy": [(2, 80.5)],
    }


def test_epochs_are_as_far_apart_as_they_took(tmp_path: Path) -> None:
    (_, _, first), (_, _, second) = read(tmp_path / "events", events_content(LINES))["train/loss"]
    assert second - first == pytest.approx(4.0, abs=1e-3)


def test_a_run_without_epochs_has_its_results_at_step_zero(tmp_path: Path) -> None:
    found = read(tmp_path / "events", events_content([], {"test/accuracy": 12.5}))
    assert [row[:2] for row in found["test/accuracy"]] == [(0, 12.5)]
    assert read(tmp_path / "empty", events_content([])) == {}
