"""Which text is in the bytes of a table."""

from __future__ import annotations

import codecs

import pytest

from dapt.data.read.decoding import decode

TEXT = "image,classname\r\nfür/straße.png,Crème brûlée – “œuf”\r\n"
ASCII = "image,classname\na.png,cat\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TEXT.encode(), ""),
        (codecs.BOM_UTF8 + TEXT.encode(), ""),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "UTF-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "UTF-32"),
        (TEXT.encode("cp1252"), "Windows-1252 (Western European)"),
    ],
)
def test_encodings(content: bytes, said: str) -> None:
    assert decode(content) == (TEXT, said)


def test_plain_text_is_nothing_to_speak_of() -> None:
    assert decode(ASCII.encode()) == (ASCII, "")
    assert decode(b"") == ("", "")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("кот", "cp1251"),
        ("собака, кот", "koi8-r"),
        ("γάτα", "cp1253"),
        ("ねこ", "shift-jis"),
        ("猫 狗", "gbk"),
        ("고양이", "euc-kr"),
        ("żółw", "cp1250"),
        ("Café für", "mac-roman"),
        ("kedi ığdır", "cp857"),
    ],
)
def test_other_alphabets_are_not_taken_for_western_ones(text: str, encoding: str) -> None:
    """They would become names that nobody meant."""
    with pytest.raises(ValueError, match=r"no text.*\(line 2\)"):
        decode(f"image,classname\na.png,{text}\n".encode(encoding))


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02" * 50, b"\x89PNG\r\n\x1a\n\x00\x00\x00", codecs.BOM_UTF8 + b"\xff", b"\xff\xfea"]
)
def test_what_is_no_text(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no text|its bytes are no"):
        decode(content)
