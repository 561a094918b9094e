"""One writer per folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dapt import console
from dapt.errors import ConfigError, DaptError
from dapt.lock import LOCK, MANIFEST, OWNER, FolderLock, Owner, read_owner

HOLDER = """
import sys
import threading
from pathlib import Path
from dapt.lock import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds tmp_path."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def said():
    lines: list[str] = []
    console.keep_lines(lines)
    yield lines
    console.keep_lines(None)


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        FolderLock(tmp_path).take()
    assert f"in use by process {holder.pid} on {socket.gethostname()} (since 20" in str(caught.value)


def test_a_dead_owners_lock_is_taken_over_and_said(
    tmp_path: Path, holder: subprocess.Popen[str], said: list[str]
) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with FolderLock(tmp_path) as lock:
        assert lock.held
        assert read_owner(tmp_path) is not None
        assert read_owner(tmp_path).pid == os.getpid()
    assert any(f"held by process {holder.pid}" in line and "taken over" in line for line in said)


def test_an_owner_that_ended_leaves_no_note(tmp_path: Path, holder: subprocess.Popen[str], said: list[str]) -> None:
    holder.communicate("")
    assert not (tmp_path / OWNER).exists()
    with FolderLock(tmp_path):
        assert said == []
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_the_same_process_cannot_hold_it_twice_but_take_it_again(tmp_path: Path) -> None:
    with FolderLock(tmp_path) as lock:
        lock.take()
        with pytest.raises(ConfigError, match=f"in use by process {os.getpid()}"):
            FolderLock(tmp_path).take()
    with FolderLock(tmp_path):
        pass


def test_waiting_for_an_owner_that_is_about_to_finish(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    assert holder.stdin is not None
    holder.stdin.close()
    lock = FolderLock(tmp_path)
    lock.take(wait_s=30)
    assert lock.held
    lock.release()
    assert not lock.held


def test_the_folder_may_be_gone_when_it_is_given_back(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    lock = FolderLock(folder)
    lock.take()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    lock.release()
    assert not folder.exists()


def test_a_place_that_holds_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DaptError, match="cannot be used"):
        FolderLock(tmp_path / "file").take()


@pytest.mark.parametrize("text", ["", "3", "{}", '{"pid": "x", "host": 1, "started": 2}', "[" * 100_000])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / OWNER).write_text(text)
    assert read_owner(tmp_path) is None
    with pytest.raises(ConfigError, match=r"\.owner\.json is in the way: dapt did not write it"):
        FolderLock(tmp_path).take()
    assert [path.name for path in tmp_path.iterdir()] == [OWNER]
    assert (tmp_path / OWNER).read_text() == text
    (tmp_path / MANIFEST).touch()  # a folder of dapt's
    with FolderLock(tmp_path):
        assert json.loads((tmp_path / OWNER).read_text())["pid"] == os.getpid()


def test_a_link_in_the_place_of_the_lock(tmp_path: Path) -> None:
    """Some versions of filelock empty what it leads to."""
    folder, mine = tmp_path / "run", tmp_path / "mine.txt"
    folder.mkdir()
    mine.write_text("the only copy")
    (folder / LOCK).symlink_to(mine)
    for manifest in (False, True):
        if manifest:
            (folder / MANIFEST).touch()
        with pytest.raises(ConfigError, match=r"\.lock is in the way: dapt did not write it"):
            FolderLock(folder).take()
        assert mine.read_text() == "the only copy"


def test_whether_an_owner_is_gone(holder: subprocess.Popen[str]) -> None:
    here = socket.gethostname()
    assert not Owner(os.getpid(), here, "").is_gone
    assert not Owner(holder.pid, here, "").is_gone
    assert Owner(0, here, "").is_gone
    assert Owner(2**70, here, "").is_gone
    assert not Owner(2**30, "another machine", "").is_gone
    holder.kill()
    holder.wait()
    assert Owner(holder.pid, here, "").is_gone


def test_a_folder_that_is_removed_while_it_is_taken_does_not_come_back(tmp_path: Path, monkeypatch) -> None:
    """filelock makes the folders above its file."""
    folder = tmp_path / "protocol" / "1shot"

    def make(path: Path, within: Path | None) -> None:
        path.mkdir(parents=True)
        shutil.rmtree(tmp_path / "protocol")

    monkeypatch.setattr("dapt.lock.make_folder", make)
    with pytest.raises(DaptError, match="it was removed meanwhile"):
        FolderLock(folder).take()
    assert not (tmp_path / "protocol").exists()


def test_an_owner_that_has_not_yet_written_its_note_is_waited_for(tmp_path: Path, monkeypatch) -> None:
    with FolderLock(tmp_path):
        note = (tmp_path / ".owner.json").read_bytes()
        (tmp_path / ".owner.json").unlink()
        timer = threading.Timer(0.1, lambda: (tmp_path / ".owner.json").write_bytes(note))
        timer.start()
        with pytest.raises(ConfigError, match=f"in use by process {os.getpid()}"):
            FolderLock(tmp_path).take()
        timer.join()
