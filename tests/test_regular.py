"""Only regular files up to a size are read; what is something else is named."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dapt.regular import IrregularError, irregular, open_regular, read_bytes, read_text, reason, too_large


def test_files_are_read_whole_through_links(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").symlink_to("a")
    for name in ("a", "b"):
        assert read_bytes(tmp_path / name, 3) == b"abc"
        assert irregular(tmp_path / name) == ""
        with open_regular(tmp_path / name) as file:
            assert file.read(2) == b"ab"


def test_up_to_a_size(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1500)
    assert len(read_bytes(tmp_path / "a", 1500)) == 1500
    with pytest.raises(OSError, match="it has 1,500 bytes, files of up to 1,499 bytes are read") as caught:
        read_bytes(tmp_path / "a", 1499)
    assert caught.value.filename == str(tmp_path / "a")
    assert "it has 3 MB, files of up to 2 MB are read" in str(too_large(Path("x"), 3_000_000, 2_000_000))


def test_text_as_any_program_writes_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthr\xc3\xa9e\n")
    assert read_text(tmp_path / "a", 100) == "one\ntwo\nthrée\n"
    (tmp_path / "a").write_bytes(b"\xff\xfeo\x00")
    with pytest.raises(UnicodeDecodeError):
        read_text(tmp_path / "a", 100)


def test_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    Path("nowhere").symlink_to("gone")
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    expected = {
        "folder": "a folder, not a file",
        "pipe": "a named pipe, not a file",
        "socket": "a socket, not a file",
        "/dev/null": "a device, not a file",
        "nowhere": "a link to gone, which is not there",
        "loop": "a link that leads to itself",
    }
    for name, what in expected.items():
        assert irregular(Path(name)) == what
        with pytest.raises(IrregularError, match=f"it is {what}") as caught:
            open_regular(Path(name))
        assert reason(caught.value) == f"it is {what}"


def test_nothing_there(tmp_path: Path) -> None:
    assert irregular(tmp_path / "no") == ""
    with pytest.raises(FileNotFoundError) as caught:
        read_bytes(tmp_path / "no", 10)
    assert reason(caught.value) == "No such file or directory"


def test_the_reason_of_other_errors() -> None:
    assert reason(ValueError("it is odd")) == "it is odd"
