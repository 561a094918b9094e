"""Names that try to do something to whatever shows them."""

from __future__ import annotations

import os
import unicodedata

COLOUR = "a\x1b[31mred"
FORGED = "x\nwarning: all good"
TURNED = "\u202egreen\u200b\x85\u2028"
TITLE = "b\x1b]0;title\x07.png"
FORMULA = "=cmd.png"
UNDECODABLE = os.fsdecode(b"bad\xff\x9b.png")

MARKUP = [
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</style></svg></title><script>document.title='owned'</script>",
    "{{7*7}}{% raw %}",
    "javascript:document.title='owned'",
    "&lt;b&gt; &amp; $x^2$ $\\broken{$ #010203",
    "_hidden",
    f"{COLOUR}\x00",
    FORGED,
    TURNED,
    "long" * 2500,
]


def raw(text: str) -> list[str]:
    """The characters in a text that no output may have: controls but line feeds, and what hides or turns text."""
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [letter for letter in text if letter != "\n" and unicodedata.category(letter) in kinds]
