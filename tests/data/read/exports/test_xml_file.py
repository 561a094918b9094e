"""XML of annotation tools: encodings, and no entities."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.exports.xml_file import read_xml_file
from dapt.errors import DataError
from dapt.limits import MIB

TEXT = "<a>größe</a>"


@pytest.mark.parametrize(
    ("said", "encoding"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("", "utf-16"),
        ("", "latin-1"),
        ("utf-8", "utf-8"),
        ("UTF-16", "utf-16"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1250", "cp1250"),
    ],
)
def test_encodings(tmp_path: Path, said: str, encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{said}"?>\n' if said else ""
    (tmp_path / "a.xml").write_bytes((head + TEXT).encode(encoding))
    assert read_xml_file(tmp_path / "a.xml", MIB).text == "größe"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<a>", "cannot be read"),
        (b"", "cannot be read"),
        (b'<?xml version="1.0" encoding="none"?><a/>', "cannot be read"),
        (b'<?xml version="1.0" encoding="ascii"?><a>\xff</a>', "cannot be read"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares a document type"),
        (b'<!doctype a SYSTEM "file:///etc/passwd"><a/>', "declares a document type"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"), "declares a document type"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.xml").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.xml {told}"):
        read_xml_file(tmp_path / "a.xml", MIB)
    with pytest.raises(DataError, match="cannot be read"):
        read_xml_file(tmp_path / "none.xml", MIB)
