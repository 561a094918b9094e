"""What an error says, line by line, and the hints for names that are not quite right."""

from __future__ import annotations

import time

import pytest

from dapt.errors import ConfigError, DaptError, DataError, ModelError, NotSupportedError, closest, did_you_mean


def test_the_lines_of_a_message() -> None:
    assert str(DaptError("It broke.")) == "It broke."
    whole = DataError("2 files are damaged.", where="x.csv", more=["a.png", "b.png"], todo="Copy them again.")
    assert str(whole) == whole.message == "2 files are damaged. (x.csv)\na.png\nb.png\nCopy them again."
    assert (whole.what, whole.where, whole.todo) == ("2 files are damaged.", "x.csv", "Copy them again.")
    assert whole.more == ("a.png", "b.png")


def test_a_name_with_control_characters_stays_on_its_line() -> None:
    error = DaptError("No 'a\nb'.", where="\x1b[31m", more=["c\r"], todo="Use\ty.")
    assert str(error).split("\n") == ["No 'a\\nb'. (\\x1b[31m)", "c\\r", "Use\\ty."]


@pytest.mark.parametrize("kind", [ConfigError, DataError, ModelError, NotSupportedError])
def test_all_kinds_are_caught_as_one(kind: type[DaptError]) -> None:
    with pytest.raises(DaptError, match=r"^what$"):
        raise kind("what")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("mapel", "Did you mean 'maple'?"),
        ("MAPLE", "Did you mean 'maple'?"),
        ("coop", "Did you mean 'CoOp'?"),
        ("xyz", "Available: CoOp, maple, vpt."),
        ("", "Available: CoOp, maple, vpt."),
    ],
)
def test_the_closest_name_else_all(name: str, hint: str) -> None:
    assert did_you_mean(name, ["vpt", "maple", "CoOp", "maple"]) == hint


def test_how_many_names_are_listed() -> None:
    assert did_you_mean("?", []) == ""
    names = [f"{number:02d}" for number in range(21)]
    assert did_you_mean("?", names[:20]) == f"Available: {', '.join(names[:20])}."
    assert did_you_mean("?", names) == f"Available: {', '.join(names[:20])}, ...."


def test_an_endless_name_is_answered_at_once() -> None:
    start = time.perf_counter()
    assert did_you_mean("ab" * 500_000, [f"name-{number}" for number in range(200)]).startswith("Available: ")
    assert time.perf_counter() - start < 2


def test_the_closest_name_alone() -> None:
    assert closest("mapel", ["vpt", "maple"]) == "maple"
    assert closest("xyz", ["vpt", "maple"]) is None
