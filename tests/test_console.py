"""What the program says while a bar is shown."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from dapt import console


def test_lines_appear_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=80, soft_wrap=True)
    monkeypatch.setattr("rich.console.Console", lambda **options: terminal)
    bar = console._bar(range(3), 3, "working", "things")
    next(bar)
    assert console.console() is terminal
    console.say("a line in between")
    inner = list(console._bar(range(2), 2, "inside", "things"))
    assert inner == [0, 1]
    rest = list(bar)
    assert rest == [1, 2]
    assert console._bar_console is None
    text = shown.getvalue()
    assert "inside" not in text, "one bar at a time"
    line = next(line for line in text.split("\n") if "a line in between" in line)
    assert "working" not in line.split("\x1b[2K")[-1], "the line is not on the bar"


def test_an_error_ends_the_bar() -> None:
    def broken():
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(console._bar(broken(), 2, "working", "things"))
    assert console._bar_console is None
