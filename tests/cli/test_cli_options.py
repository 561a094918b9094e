"""What several commands share: lists of names, the home folder, names with commas, switches that act at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt import console
from dapt.cli.options import at_home, listed, silence, split_names
from dapt.cues.base import CUES
from dapt.experiments.protocols.base import PROTOCOLS
from dapt.selection.base import SELECTORS


def test_names_in_help_texts_are_those_that_are_registered() -> None:
    assert listed("dapt.cues") == ", ".join(CUES.names())
    assert listed("dapt.selection") == ", ".join(SELECTORS.names())
    assert listed("dapt.experiments.protocols") == ", ".join(PROTOCOLS.names())


def test_the_home_folder_of_texts_paths_and_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert at_home("~/a") == "/home/me/a"
    assert at_home(Path("~/a")) == Path("/home/me/a")
    assert at_home([Path("~/a"), Path("b")]) == [Path("/home/me/a"), Path("b")]
    assert at_home((Path("~"),)) == [Path("/home/me")]
    assert at_home(None) is None
    assert at_home("a~b") == "a~b"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, None),
        ("", None),
        ("cat", ["cat"]),
        (" cat , red dog,,", ["cat", "red dog"]),
        (",", []),
        ("d\udcffg", ["d\\udcffg"]),
        ('"watch, digital",kangaroo', ["watch, digital", "kangaroo"]),
        ('kangaroo, "watch, digital"', ["kangaroo", "watch, digital"]),
        ('12" disc, cat', ['12" disc', "cat"]),
        ('"open, cat', ['"open', "cat"]),
        ("a\nb,c", ["a\nb", "c"]),
    ],
)
def test_names_with_commas_between(text: str | None, names: list[str] | None) -> None:
    assert split_names(text) == names


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    silence(True)
    console.say("a note")
    console.warn("a warning")
    silence(False)
    console.say("another")
    err = capsys.readouterr().err
    assert "a note" not in err
    assert "a warning" in err
    assert "another" in err


def test_max_pixels_holds_for_the_command(dapt, table: Path) -> None:
    code, _, err = dapt("masks", "verify", table, "--max-pixels", 0.001)  # a thousand; the images have 1920
    assert code == 2
    assert "cannot be used" in err
    assert dapt("masks", "verify", table)[0] == 0, "and for no later one"
    assert dapt("masks", "verify", table, "--max-pixels", 0)[0] == 2


def test_plugins_are_read_before_names_are_looked_up(dapt, tmp_path: Path) -> None:
    code, _, err = dapt("methods", "list", "--plugin", tmp_path / "absent.py")
    assert code == 2
    assert "absent.py" in err
