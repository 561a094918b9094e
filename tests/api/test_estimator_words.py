"""Messages in the words of a program, and at its line."""

from __future__ import annotations

import pytest

from dapt.api.estimator_words import in_parameters, told_of
from dapt.console import warn
from dapt.errors import ConfigError

PARAMETERS = ("class_names", "device", "model", "cue")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Give names with --names FILE, or so.", "Give names with class_names=..., or so."),
        ("Use --device auto or --device cpu.", 'Use device="auto" or device="cpu".'),
        ("See --cue.", "See cue=...."),
        ("Give --masks FOLDER.", 'Give settings={"masks": ...}.'),
        ("Run: dapt masks photos --cue border", "Run: dapt masks photos --cue border"),
        ("Write it with --html FILE.", "Write it with --html FILE."),
        ("a -- b", "a -- b"),
    ],
)
def test_options_become_parameters(text: str, said: str) -> None:
    assert in_parameters(text, PARAMETERS) == said


def test_errors_and_warnings() -> None:
    with pytest.raises(ConfigError, match=r'^No device\.\nUse device="cpu"\.$'), told_of(PARAMETERS):
        raise ConfigError("No device.", todo="Use --device cpu.")
    with pytest.warns(UserWarning, match="class_names=") as heard, told_of(PARAMETERS):
        warn("Numbers: --names FILE")
    assert heard[0].filename == __file__
