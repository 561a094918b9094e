"""Reading the XML files of annotation tools: in the encoding that they say, and without entities.

A few lines of entities that hold each other make gigabytes of text ("billion laughs"), and others would read files of
the machine. No annotation tool writes them, so a file that declares any is refused before it is parsed.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from dapt.data.read.decoding import BOMS, decode
from dapt.errors import DataError
from dapt.regular import read_bytes, reason

_SAID = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARES = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def read_xml_file(path: Path, most: int) -> ElementTree.Element:
    """The top element of a file of up to `most` bytes.

    Raises:
        DataError: it cannot be read, is no XML, or declares a document type or entities.
    """
    try:
        text = _text(read_bytes(path, most))
        if _DECLARES.search(text):
            raise DataError(
                f"{path} declares a document type (DOCTYPE), as annotation tools do not: it is not read, for such "
                "declarations can blow up a small file.",
                todo="Remove the declaration, if the file is yours; else export the data again.",
            )
        return ElementTree.fromstring(text)
    except (OSError, ValueError, LookupError, ElementTree.ParseError) as error:
        raise DataError(f"{path} cannot be read: {reason(error)}.", todo="Export the data again.") from error


def _text(content: bytes) -> str:
    """The text: by its mark, else in the encoding that its first line says, else as `decode` finds out."""
    said = _SAID.match(content)
    if said is None or any(content.startswith(mark) for mark, _, _ in BOMS):
        return decode(content)[0]
    return content.decode(said[1].decode("ascii"))
