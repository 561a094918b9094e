"""What the program says while it works: lines, warnings and progress bars.

On a terminal progress is a bar with rate and time left; elsewhere it is a plain line now and then.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")

_quiet = False
_lines: list[str] | None = None
_bar_console: Console | None = None  # while a bar is shown: what is printed through its console appears above it


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
        console().print(text, markup=False, emoji=False)


def warn(text: str) -> None:
    """Print one warning."""
    _keep(f"warning: {text}")
    console().print(f"warning: {text}", style="yellow", markup=False, emoji=False)


def keep_lines(lines: list[str] | None) -> None:
    """Also append everything said to `lines` (used for a run's log.txt); None stops that."""
    global _lines
    _lines = lines


def _keep(text: str) -> None:
    if _lines is not None:
        _lines.append(time.strftime("%Y-%m-%d %H:%M:%S ") + text)


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
        TextColumn("{task.description}"),
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
            task = bar.add_task(label, total=total, rate="")
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
