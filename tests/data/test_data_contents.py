"""Checksums of files, read once and kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dapt.data import contents as module
from dapt.data.contents import content_digests, contents_file


def test_files_are_read_again_only_where_they_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paths = [tmp_path / name for name in ("a", "b", "none")]
    paths[0].write_bytes(b"one")
    paths[1].write_bytes(b"two")
    expected = [hashlib.sha256(content).hexdigest()[:32] for content in (b"one", b"two")]
    assert content_digests(paths) == [*expected, ""]
    assert contents_file() == tmp_path / "cache" / "dapt" / "contents.sqlite"
    read: list[Path] = []
    whole = module.file_digest
    monkeypatch.setattr(module, "file_digest", lambda path: read.append(path) or whole(path))
    paths[1].write_bytes(b"three")
    assert content_digests(paths) == [expected[0], hashlib.sha256(b"three").hexdigest()[:32], ""]
    assert sorted(read) == paths[1:]
