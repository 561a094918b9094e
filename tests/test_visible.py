"""Names of others never reach a terminal raw, and honest names are shown as they are."""

from __future__ import annotations

import io
import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from dapt import console
from dapt.console import cell, json_text, lines_of, show_json, visible, writable
from dapt.errors import DaptError

SEEN = {0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
HARMLESS = [
    "cat",
    "C:\\photos\\new\\x1b.png",
    "Größe 5 – ½",
    "漢字 かな 한국어",
    "شماره ۱۲",
    "می\u200cخواهم",  # Persian, with its zero-width non-joiner
    "ക്\u200d",  # Malayalam, with a joiner at the end
    "क्\u200dष",
    "👩\u200d👩\u200d👧 👍🏽 ❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈",
    "\u0601 \u06dd",
    "a\u00a0b\u3000c",  # spaces of other widths
    "[red]not markup[/red] :cat: $x^2$ <b>",
]
BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x61C]
OTHERS = [
    0x200B,
    0x2060,
    0xFEFF,
    0xAD,
    0x180E,
    0x2028,
    0x2029,
    0xFFF9,
    0xFFFE,
    0x1FFFF,
    0xE0001,
    0xE0041,
    0xD800,
    0xDCFF,
]


def hides(text: str) -> list[str]:
    """The characters of a text that a reader is not shown; joiners are looked at elsewhere."""
    found = []
    for letter in text:
        kind, number = unicodedata.category(letter), ord(letter)
        controls = kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and number not in SEEN)
        if letter not in "\u200c\u200d" and (controls or number & 0xFFFE == 0xFFFE):
            found.append(letter)
    return found


@pytest.mark.parametrize("text", HARMLESS)
def test_honest_names_stay(text: str) -> None:
    assert visible(text) == text
    assert cell(text).plain == text
    assert writable(text) == text


@pytest.mark.parametrize("number", [*range(0x20), 0x7F, *range(0x80, 0xA0), *BIDI, *OTHERS])
def test_hidden_characters_become_escapes(number: int) -> None:
    shown = visible(f"a{chr(number)}b")
    assert shown.startswith("a\\")
    assert shown.endswith("b")
    assert shown.isascii()
    assert shown.isprintable()


def test_escapes_are_those_people_know() -> None:
    assert (
        visible("\x1b[31m\r\n\t\x7f\x85\u202e\udcff\U000e0001")
        == "\\x1b[31m\\r\\n\\t\\x7f\\x85\\u202e\\udcff\\U000e0001"
    )


@pytest.mark.parametrize("text", ["ab\u200dc", "\u200dक", "👩\u200d", "क\u200d\u200dक", "a \u200c b", "猫\u200c"])
def test_joiners_that_join_nothing_are_shown(text: str) -> None:
    assert "\\u200" in visible(text)


def test_every_character_that_unicode_calls_control_or_format() -> None:
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        assert not hides(visible(letter)), hex(number)
        if unicodedata.category(letter)[0] in "LMNPS":
            assert visible(letter) == letter, hex(number)


@given(st.text(st.characters()))  # surrogates too
def test_what_is_shown_hides_nothing(text: str) -> None:
    shown = visible(text)
    assert hides(shown) == []
    assert visible(shown) == shown
    assert not hides(lines_of([text, text]).replace("\n", ""))
    assert lines_of([text, text]).count("\n") == 1
    shown.encode("utf-8")
    writable(text).encode("utf-8")


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_harmless_text_is_left_alone(text: str) -> None:
    assert visible(text) == text


@given(st.dictionaries(st.text(st.characters()), st.lists(st.text(st.characters()))))
def test_json_is_exact_and_hides_nothing(value: dict[str, list[str]]) -> None:
    text = json_text(value)
    assert json.loads(text) == json.loads(json.dumps(value))
    assert hides(text.replace("\n", "")) == []
    text.encode("utf-8")


def test_json_on_an_ascii_terminal_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", errors="replace"))
    show_json({"é\x1b": "\udcff"})
    sys.stdout.flush()
    assert json.loads(raw.getvalue().decode("ascii")) == {"é\x1b": "\udcff"}


def test_no_name_adds_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    kept: list[str] = []
    name = "x\nwarning: all good\r\x1b[2Kerror: none\u2028\x85\udcff"
    console.keep_lines(kept)
    try:
        console.say(f"the class {name}")
        console.warn(f"the class {name}")
        list(console._plain(range(3), 3, name, "its", every_s=-1))
    finally:
        console.keep_lines(None)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 4
    assert hides(captured.err.replace("\n", "")) == []
    assert len(kept) == 4
    assert all(hides(line) == [] for line in kept)


def test_the_label_of_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=120, soft_wrap=True)
    monkeypatch.setattr("rich.console.Console", lambda **options: terminal)
    list(console._bar(range(2), 2, "reading [bold]x\x1b]0;owned\x07\n", "things"))
    assert "\x1b]0" not in shown.getvalue()
    assert "\x07" not in shown.getvalue()
    assert "[bold]x\\x1b]0;owned\\x07\\n" in shown.getvalue()


def test_errors_are_lines_of_ours() -> None:
    name = "x\nwarning: all good\x1b[31m"
    error = DaptError(f"no {name}", where=name, more=[f"first {name}", "second"], todo=f"mend {name}")
    assert error.message.count("\n") == 3
    assert hides(error.message.replace("\n", "")) == []
    assert str(error) == error.message
    assert error.what == f"no {name}", "the field itself is exact"


def test_cells_show_text_and_nothing_else() -> None:
    out = io.StringIO()
    table = Table(title=cell("[b]a\x1b[0m"))
    table.add_column(cell(":cat:\n"))
    table.add_row(cell("[red]x[/red] \x1b]0;t\x07"))
    Console(file=out, width=60).print(table)
    for text in ("[b]a\\x1b[0m", ":cat:\\n", "[red]x[/red] \\x1b]0;t\\x07"):
        assert text in out.getvalue()
    assert hides(out.getvalue().replace("\n", "")) == []
