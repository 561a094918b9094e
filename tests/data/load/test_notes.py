"""What is done to images without being asked is counted, and said once."""

from __future__ import annotations

import pytest

from dapt.data.load.notes import Found, note, said_together, say_notes, several


def told(found: Found) -> str:
    return f"{several(found, 'image is', 'images are')} told: {', '.join(f'{name} {how}' for name, how in found)}"


def test_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    say_notes()
    capsys.readouterr()
    note(told, "b", "red")
    note(told, "a", "blue")
    note(told, "a", "blue")
    say_notes()
    assert "2 images are told: a blue, b red" in capsys.readouterr().err
    note(told, "a", "blue")
    say_notes()
    assert capsys.readouterr().err == ""
    note(told, "c")
    say_notes()
    assert "1 image is told: c" in capsys.readouterr().err


def test_parts_are_said_with_their_total(capsys: pytest.CaptureFixture[str]) -> None:
    say_notes()
    capsys.readouterr()
    with said_together():
        for name in ("part 1", "part 2", "part 3"):
            note(told, name)
            say_notes()
        assert capsys.readouterr().err == ""
    assert "3 images are told: part 1 , part 2 , part 3" in capsys.readouterr().err
