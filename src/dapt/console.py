"""What the program says while it works: lines, warnings and progress bars.

On a terminal progress is a bar with rate and time left; elsewhere it is a plain line now and then.

Names of files and classes come from others and may hold anything. Whatever is shown goes through `visible`, line by
line: a text given to `say` or `warn`, or a field of a `DaptError`, is one line, whatever names are in it. Several lines
are several calls.
"""

from __future__ import annotations

import json
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

T = TypeVar("T")

_quiet = False
_lines: list[str] | None = None
_hear: Callable[[str], None] | None = None  # takes warnings in the place of standard error
_bar_console: Console | None = None  # while a bar is shown: what is printed through its console appears above it

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Unicode counts these to the format characters, but they are signs that are seen: of numbers, years and verses.
_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_JOINERS = frozenset("\u200c\u200d")  # zero-width: Persian and the scripts of India are written with them, and emoji
_JOINED = frozenset({"Lo", "Mn", "Mc", "So", "Sk"})  # what they join: letters without case, marks, symbols
_VIRAMA = 9  # combining class
_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """`text` as one line that shows what is in it.

    Control characters, line and paragraph separators, bidirectional overrides and the other format characters,
    characters that are none (U+FFFE, ...) and lone surrogates (undecodable bytes of file names) become escapes such as
    ``\\n``, ``\\x1b`` and ``\\u202e``. Letters of all scripts, symbols, spaces and emoji stay, also where a zero-width
    joiner stands between them. A backslash stays as it is: the escapes are for reading, not for reading back.
    """
    if text.isprintable():
        return text
    return "".join(_escape(letter) if _hidden(text, place) else letter for place, letter in enumerate(text))


def _hidden(text: str, place: int) -> bool:
    letter = text[place]
    if letter.isprintable() or letter in _SEEN:
        return False
    if letter in _JOINERS:
        before, behind = text[place - 1 : place], text[place + 1 : place + 2]
        return not (_joined(before) and (_joined(behind) or unicodedata.combining(before) == _VIRAMA))
    kind, number = unicodedata.category(letter), ord(letter)
    if kind == "Cn":  # letters and emoji younger than this Python stay; what can never be one does not
        ignored = number == 0x2065 or 0xFFF0 <= number <= 0xFFF8 or 0xE0000 <= number <= 0xE0FFF
        return ignored or 0xFDD0 <= number <= 0xFDEF or number & 0xFFFE == 0xFFFE
    return kind not in ("Zs", "Co")


def _joined(letter: str) -> bool:
    return bool(letter) and unicodedata.category(letter) in _JOINED


def _escape(letter: str) -> str:
    number = ord(letter)
    if letter in _SHORT:
        return _SHORT[letter]
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def writable(text: str) -> str:
    """`text` with its lone surrogates as escapes, all else as it is: no encoder takes them."""
    return _SURROGATE.sub(lambda found: _escape(found[0]), text)


def lines_of(lines: Iterable[str]) -> str:
    """Lines of text, each made `visible`, as one text."""
    return "\n".join(visible(line) for line in lines)


def show(*lines: str) -> None:
    """Print lines on standard output, each made `visible`."""
    print(lines_of(lines))


def cell(text: str) -> Text:
    """A cell or title of a rich table: `text` made `visible`, with no markup and no emoji codes in it."""
    from rich.text import Text

    return Text(visible(text))


def json_text(value: Any) -> str:
    """`value` as indented JSON that can be written and shown anywhere, and is read back exactly.

    Letters stand as they are; what `visible` hides is escaped the way of JSON.
    """

    def escaped(line: str) -> str:
        if line.isprintable():
            return line
        parts = (json.dumps(letter)[1:-1] if _hidden(line, place) else letter for place, letter in enumerate(line))
        return "".join(parts)

    return "\n".join(map(escaped, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).split("\n")))


def show_json(value: Any) -> None:
    """Print `value` as JSON on standard output; only ASCII where the output can hold no more."""
    text = json_text(value)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, allow_nan=False)
    print(text)


def set_quiet(quiet: bool) -> None:
    """Silence notes and progress (warnings and errors still show)."""
    global _quiet
    _quiet = quiet


def is_quiet() -> bool:
    """Whether notes and progress are silenced."""
    return _quiet


def console() -> Console:
    """A rich console on standard error, so that standard output carries results only."""
    if _bar_console is not None:
        return _bar_console
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print one line of information."""
    _keep(text)
    if not _quiet:
        console().print(visible(text), markup=False, emoji=False)


def warn(text: str) -> None:
    """Print one warning, or give it to whoever hears warnings (`warnings_to`)."""
    _keep(f"warning: {text}")
    (_hear or _show_warning)(text)


def _show_warning(text: str) -> None:
    console().print(f"warning: {visible(text)}", style="yellow", markup=False, emoji=False)


@contextmanager
def warnings_to(hear: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile `hear` gets the warnings, and nothing is printed; for runs that somebody else tells of."""
    global _hear
    before, _hear = _hear, hear
    try:
        yield
    finally:
        _hear = before


@contextmanager
def warnings_of(name: str) -> Iterator[None]:
    """Meanwhile every warning begins with a name: of a run, where several go on side by side."""
    tell = _hear or _show_warning
    with warnings_to(lambda text: tell(f"{name}: {text}")):
        yield


def keep_lines(lines: list[str] | None) -> None:
    """Also append everything said to `lines` (used for a run's log.txt); None stops that."""
    global _lines
    _lines = lines


def _keep(text: str) -> None:
    if _lines is not None:
        _lines.append(stamped(text))


def stamped(text: str) -> str:
    """A line of a log: local time and `text`, made `visible`."""
    return time.strftime("%Y-%m-%d %H:%M:%S ") + visible(text)


def progress(items: Iterable[T], total: int, label: str, unit: str = "it") -> Iterator[T]:
    """Yield from `items` and show how far it is."""
    if _quiet or total == 0:
        yield from items
    elif sys.stderr.isatty():
        yield from _bar(items, total, label, unit)
    else:
        yield from _plain(items, total, label, unit)


def _bar(items: Iterable[T], total: int, label: str, unit: str) -> Iterator[T]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    start = time.perf_counter()
    global _bar_console
    if _bar_console is not None:  # a bar within a bar: the outer one tells enough
        yield from items
        return
    with Progress(*columns, console=console(), transient=True) as bar:
        _bar_console = bar.console
        try:
            task = bar.add_task(visible(label), total=total, rate="")
            for count, item in enumerate(items, start=1):
                yield item
                rate = count / max(time.perf_counter() - start, 1e-9)
                bar.update(task, completed=count, rate=f"{rate:.1f} {unit}/s")
        finally:
            _bar_console = None


def _plain(items: Iterable[T], total: int, label: str, unit: str, every_s: float = 20.0) -> Iterator[T]:
    start = last = time.perf_counter()
    for count, item in enumerate(items, start=1):
        yield item
        now = time.perf_counter()
        if now - last >= every_s and count < total:
            rate = count / (now - start)
            left = (total - count) / rate
            say(f"{label}: {count}/{total} ({rate:.1f} {unit}/s, {left:.0f} s left)")
            last = now
