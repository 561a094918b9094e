"""Weights & Biases for real, offline: what stands in its file after a kill and another call."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.runs.train import run_training
from dapt.tracking.kinds.wandb import WandbOptions, WandbTracker, is_logged_in
from helpers import run_with, stopping

ENVIRONMENT = ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_BASE_URL", "WANDB_MODE", "WANDB_PROJECT")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody is logged in, and no setting of the machine counts."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))


def test_it_is_offline_unless_somebody_is_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tracker = WandbTracker(WandbOptions())
    assert not is_logged_in()
    assert tracker._mode() == "offline"
    (tmp_path / "netrc").write_text("machine api.wandb.ai\n  login user\n  password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    assert is_logged_in()
    assert tracker._mode() == "online"
    assert WandbTracker(WandbOptions(mode="offline"))._mode() == "offline"
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert not is_logged_in()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert tracker._mode() == "online"
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert tracker._mode() == "offline"


def records(path: Path) -> Iterator[bytes]:
    """The records in a file of W&B: 7 bytes, then blocks of 32 KiB with checksum, length, kind and content each."""
    data, place, part = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        left = 2**15 - place % 2**15
        if left < 7:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        body = data[place + 7 : place + 7 + length]
        part = body if kind in (1, 2) else part + body
        place += 7 + length
        if kind in (1, 4):
            yield part


@pytest.mark.long
def test_the_last_folder_holds_the_whole_run(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("it has looked for a host"))
    out = tmp_path / "run"
    config = make_config({**run_with(table, tiny_spec, out, epochs=3), "track": ["wandb"]})
    with pytest.raises(KeyboardInterrupt):
        run_training(config, after_epoch=stopping(2))
    run_training(config, resume=True)
    folders = sorted((tmp_path / "wandb").glob("offline-run-*"))
    assert len({folder.name.rpartition("-")[2] for folder in folders}) == 1  # one id
    (file,) = folders[-1].glob("run-*.wandb")
    found = [Record.FromString(each) for each in records(file)]
    assert [each.history.step.num for each in found if each.WhichOneof("record_type") == "history"] == [1, 2, 3]
    summary = {
        item.key for each in found if each.WhichOneof("record_type") == "summary" for item in each.summary.update
    }
    assert {"test/accuracy", "timing/training_seconds"} <= summary
