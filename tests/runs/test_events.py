"""The TensorBoard file of a run, read back by TensorBoard."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.runs.events import EventsFile, events_content, times_in
from dapt.runs.run_folder import RunFolder

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


def losses(folder: RunFolder) -> list[tuple[int, float]]:
    return [row[:2] for row in read(folder.path / "copy", folder.events_file.read_bytes()).get("train/loss", [])]


def test_the_file_grows_in_its_place_so_that_boards_that_keep_it_open_go_on(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    events = EventsFile(folder)
    events.add(LINES[0])
    before = folder.events_file.stat().st_ino
    with folder.events_file.open("rb") as held:
        held.seek(0, 2)
        events.add(LINES[1])
        events.finish({"test/accuracy": 80.5}, 2)
        assert b"test/accuracy" in held.read()
    assert folder.events_file.stat().st_ino == before
    assert losses(folder) == [(1, 1.5), (2, 0.5)]


@pytest.mark.parametrize("behind", [b"", b"\x18\0\0\0", b"half a record of the next epoch " * 9])
def test_what_a_killed_run_left_goes_on_without_double_steps(tmp_path: Path, behind: bytes) -> None:
    folder = RunFolder(tmp_path)
    first = EventsFile(folder)
    for line in LINES:
        first.add(line)
    whole = folder.events_file.read_bytes()
    folder.events_file.write_bytes(whole + behind)
    assert losses(folder) == [(1, 1.5), (2, 0.5)]  # a board reads it as it is
    place = folder.events_file.stat().st_ino
    second = EventsFile(folder)
    second.restore(LINES[:1])  # the kill came before the second epoch was kept
    assert folder.events_file.stat().st_ino == place
    assert whole.startswith(folder.events_file.read_bytes())  # with the times of the first session
    second.add(LINES[1])
    assert losses(folder) == [(1, 1.5), (2, 0.5)]


def test_a_file_that_is_gone_or_damaged_is_written_anew(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    events = EventsFile(folder)
    events.add(LINES[0])
    folder.events_file.unlink()
    events.add(LINES[1])
    assert losses(folder) == [(1, 1.5), (2, 0.5)]
    content = bytearray(folder.events_file.read_bytes())
    content[40] ^= 1
    folder.events_file.write_bytes(content)
    assert len(times_in(bytes(content))) < 3
    EventsFile(folder).restore(LINES)
    assert losses(folder) == [(1, 1.5), (2, 0.5)]
