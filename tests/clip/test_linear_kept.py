"""Times in the user's cache: read as they were written, and nothing but them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dapt.clip import linear_kept
from dapt.clip.linear_kept import file_of, kept_times, one_at_a_time, read_times, times_folder, write_times
from dapt.clip.linear_times import Times

ABOUT = {"processor": "Some Processor", "threads": 2}
TIMES = Times(1.5, 2.25)


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_kept, "_told", set())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "dapt" / "linear"


def test_written_and_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert times_folder() == folder
    path = file_of(folder, ABOUT)
    assert path != file_of(folder, {**ABOUT, "threads": 3})
    assert read_times(path, ABOUT) is None
    write_times(path, ABOUT, TIMES)
    assert read_times(path, ABOUT) == TIMES
    assert list(kept_times()) == [(path, "Some Processor")]
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"schema": 1}',
        json.dumps({"schema": 1, "about": {"processor": "Another"}, "onednn_ms": 1, "plain_ms": 2}),
        json.dumps({"schema": 1, "about": ABOUT, "onednn_ms": "x", "plain_ms": 2}),
        json.dumps({"schema": 1, "about": ABOUT, "onednn_ms": -1, "plain_ms": 2}),
        json.dumps({"schema": 9, "about": ABOUT, "onednn_ms": 1, "plain_ms": 2}),
        "[" * 100_000,
    ],
)
def test_damaged_ones_are_said_once(folder: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(folder, ABOUT)
    folder.mkdir(parents=True)
    path.write_text(content)
    assert read_times(path, ABOUT) is None
    assert read_times(path, ABOUT) is None
    assert capsys.readouterr().err.count("measured again") == 1
    write_times(path, ABOUT, TIMES)
    assert read_times(path, ABOUT) == TIMES


def test_what_is_no_file_is_not_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(folder, ABOUT)
    folder.mkdir(parents=True)
    os.mkfifo(path)
    assert read_times(path, ABOUT) is None
    assert "cannot be read" in capsys.readouterr().err
    assert list(kept_times()) == []


def test_a_cache_that_cannot_be_written_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands where the folder would be: also root cannot write there."""
    (tmp_path / "dapt").write_text("")
    folder = tmp_path / "dapt" / "linear"
    with one_at_a_time(folder):
        write_times(file_of(folder, ABOUT), ABOUT, TIMES)
        write_times(file_of(folder, ABOUT), ABOUT, TIMES)
    assert capsys.readouterr().err.count("measured by every process") == 1


def test_only_its_own_files_are_listed(folder: Path) -> None:
    write_times(file_of(folder, ABOUT), ABOUT, TIMES)
    (folder / "notes.json").write_text("{}")
    (folder / ("0" * 16 + ".json")).write_text("nothing")
    assert sorted(of for _, of in kept_times()) == ["Some Processor", "damaged"]


def test_one_that_holds_the_lock_is_waited_for_no_longer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_kept, "WAIT_S", 0.01)
    entered = []
    with one_at_a_time(folder), one_at_a_time(folder):
        entered.append(True)
    assert entered
