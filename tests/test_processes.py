"""Worker processes end with their parent, and one that is killed becomes a message."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dapt.errors import DaptError
from dapt.processes import PATIENCE, worker_pool


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _note(path: Path) -> None:
    path.write_text("ready")


def test_a_killed_worker_is_explained() -> None:
    with pytest.raises(DaptError, match="--resume --jobs 1"), worker_pool(1) as pool:
        pool.submit(_die).result()


def test_the_initializer_runs_in_the_worker(tmp_path: Path) -> None:
    with worker_pool(1, _note, (tmp_path / "note",)) as pool:
        worker = pool.submit(os.getpid).result()
    assert worker != os.getpid()
    assert (tmp_path / "note").read_text() == "ready"


PARENT = """
import os, time
from pathlib import Path
from dapt.processes import PATIENCE, worker_pool
if __name__ == "__main__":
    with worker_pool(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert Path(f"/proc/{worker}").exists()
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while _alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(worker)


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_who_tells_no_mistakes_leaves_them_to_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """It neither exits before the first has told, nor stays silent if that one goes on."""
    from dapt.cli.app import run

    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("LOCAL_RANK", "1")
    waited: list[float] = []
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("dapt.processes.time.sleep", waited.append)
    try:
        assert run(["methods", "info", "mapel"]) == 2
        assert run(["no-such-command"]) == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert waited == [PATIENCE, PATIENCE]
