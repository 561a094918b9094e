"""The text in the bytes of a table: UTF-8 with or without its mark, UTF-16, or Windows-1252 where that makes sense."""

from __future__ import annotations

import codecs
import re

BOMS = (
    (codecs.BOM_UTF8, "utf-8", ""),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
NO_TEXT = "it is no text: neither UTF-8 nor UTF-16, nor Windows-1252 with words of Western European languages"

_LETTERS = "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0160\u0161\u0152\u0153\u017d\u017e\u0178"
_MARKS = "\u2018\u2019\u201c\u201d\u201e\u2013\u2014\u2026\u20ac\u00a0\u00a3\u00a7\u00a9\u00ab\u00ae\u00b0\u00b1\u00b2"
_MARKS += "\u00b3\u00b4\u00b5\u00b7\u00ba\u00aa\u00bb\u00bc\u00bd\u00be\u00bf\u00a1\u00d7\u2122\u2022"
_WESTERN = re.compile(f"[\x09\x0a\x0d\x20-\x7e{_LETTERS}{_MARKS}]*")
_SMALL, _CAPITAL = (
    "a-z\u00df-\u00f6\u00f8-\u00ff\u0161\u0153\u017e",
    "\u00c0-\u00d6\u00d8-\u00de\u0160\u0152\u017d\u0178",
)
# Text of other alphabets, read as Windows-1252: words are such letters as a whole, marks stand within words, and
# capitals (also of old Macs) behind small letters.
_FOREIGN = re.compile(
    f"[{_LETTERS}]{{3}}|[A-Za-z{_LETTERS}][^\x00-\x7f{_LETTERS}\u2019\u00b7][A-Za-z{_LETTERS}]|[{_SMALL}][{_CAPITAL}]"
)


def decode(content: bytes) -> tuple[str, str]:
    """The text, line ends as they are, and what had to be found out about it: the encoding's name, or nothing.

    Raises:
        ValueError: it is no text, or in an encoding that cannot be told.
    """
    for mark, encoding, name in BOMS:
        if content.startswith(mark):
            return _strict(content[len(mark) :], encoding), name
    zeros = content[:4096].count(0)
    if zeros:
        return _without_mark(content, zeros)
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        text = _western(content)
        if text is None:
            where = content.count(b"\n", 0, error.start) + 1
            raise ValueError(f"{NO_TEXT} (line {where})") from error
        return text, "Windows-1252 (Western European)"


def _strict(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"its bytes are no {encoding.upper()}, as its first ones say") from error


def _without_mark(content: bytes, zeros: int) -> tuple[str, str]:
    """UTF-16 of mostly Latin letters has a zero in every second byte."""
    head = content[: min(len(content), 4096) // 2 * 2]
    for encoding, place in (("utf-16-le", 1), ("utf-16-be", 0)):
        if head[place::2].count(0) == zeros and zeros * 5 > len(head):
            return _strict(content, encoding), "UTF-16"
    raise ValueError(NO_TEXT)


def _western(content: bytes) -> str | None:
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None
    return text if _WESTERN.fullmatch(text) and not _FOREIGN.search(text) else None
