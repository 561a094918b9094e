"""Files of all kinds: read, or refused by their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.table_file import OTHER_TYPES, TABLE_TYPES, read_table
from dapt.errors import DataError


def test_by_their_endings(tmp_path: Path) -> None:
    texts = {".jsonl": '{"image": "a.png", "label": "cat"}\n', ".json": '[{"image": "a.png", "label": "cat"}]'}
    texts[".ndjson"] = texts[".jsonl"]
    for kind in TABLE_TYPES:
        path = tmp_path / f"x{kind}"
        path.write_text(texts.get(kind, "image,label\na.png,cat\n"), encoding="utf-8")
        assert read_table(path).column("label") == ["cat"], kind


def test_the_encoding_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("image;classname\na.png;für\n".encode("cp1252"))
    table = read_table(path)
    assert table.column("classname") == ["für"]
    assert [sentence.split()[0:2] for sentence in table.guessed] == [["its", "encoding"], ["the", "columns"]]


@pytest.mark.parametrize("kind", sorted(OTHER_TYPES))
def test_other_kinds_are_named_with_the_way_out(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x{kind}"
    path.write_bytes(b"anything")
    with pytest.raises(DataError, match="which is not read") as caught:
        read_table(path)
    assert caught.value.todo


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PK\x03\x04\x14\x00", "Excel workbook"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"\x1f\x8b\x08", "gzip"),
    ],
)
def test_a_csv_that_is_none(tmp_path: Path, start: bytes, what: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(start)
    with pytest.raises(DataError, match=what) as caught:
        read_table(path)
    assert caught.value.todo
