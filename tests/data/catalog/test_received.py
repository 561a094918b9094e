"""The record of downloads: complete sources, lost files, and records that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.data.catalog.received import RECORD, SHOWN, Received
from helpers import fill


def add(received: Received, name: str, places: list[Path], *, source: str = "s", files: int = 1) -> None:
    received.add("images", source, files, name, 3, "md5:1", places)


def test_a_source_is_there_when_all_its_parts_are(tmp_path: Path) -> None:
    folder = tmp_path / "dtd"
    fill(folder, "a", "b")
    received = Received(folder, tmp_path)
    assert not received.has("s")
    add(received, "1.zip", [folder / "a"], files=2)
    assert received.has_part("s", "1.zip")
    assert not received.has("s")
    add(received, "1.zip", [folder / "a"], files=2)  # once more is still one of two
    assert not received.has("s")
    add(received, "2.zip", [folder / "b"], files=2)
    assert received.has("s")
    assert not received.has("other")
    assert not received.has_part("other", "1.zip")
    again = Received(folder, tmp_path)  # from disk
    assert again.has("s")
    (folder / "b").unlink()
    assert not again.has("s")
    assert again.has_part("s", "1.zip")
    assert not again.has_part("s", "2.zip")


def test_what_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "dtd"
    folder.mkdir()
    add(Received(folder, tmp_path), "x.zip", [folder / str(number) for number in range(SHOWN + 5)])
    record = json.loads((folder / RECORD).read_text())
    (part,) = record["parts"]
    assert record["schema"] == 1
    assert part["holds"] == [f"dtd/{number}" for number in range(SHOWN)]
    assert (part["what"], part["size"], part["checksum"]) == ("images", 3, "md5:1")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"parts": 3}', '{"parts": [3]}'])
def test_a_record_that_cannot_be_read(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / RECORD).write_text(content)
    received = Received(tmp_path, tmp_path)
    assert "is downloaded again" in capsys.readouterr().err
    assert not received.has("s")
    fill(tmp_path, "a")
    add(received, "x.zip", [tmp_path / "a"])
    assert Received(tmp_path, tmp_path).has("s")


@pytest.mark.parametrize("part", [{"source": "s"}, {"source": "s", "name": "x", "files": None}])
def test_a_part_that_says_too_little_is_not_there(tmp_path: Path, part: dict[str, object]) -> None:
    (tmp_path / RECORD).write_text(json.dumps({"schema": 1, "parts": [part]}))
    assert not Received(tmp_path, tmp_path).has("s")
