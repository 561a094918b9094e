"""Complaints about what is given: one sentence, with the key and the closest known one."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field, field_validator

from dapt.errors import ConfigError
from dapt.strict import Strict
from dapt.validation import brief, known_options, validated


class Inner(Strict):
    """A section."""

    margin: float = Field(1.0, ge=0)


class Outer(Strict):
    """What is validated."""

    shots: int
    kind: Literal["a", "b"] = "a"
    inner: Inner = Inner()

    @field_validator("shots")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("it must be even.")
        return value


def test_what_fits() -> None:
    assert validated(Outer, {"shots": 2, "inner": {"margin": 0}}).inner.margin == 0


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"shots": 2, "kinds": 1}, r"There is no setting 'run\.kinds'\.\nDid you mean 'kind'"),
        ({"shots": 2, "inner": {"magin": 1}}, r"There is no setting 'run\.inner\.magin'\.\nDid you mean 'margin'"),
        ({}, r"The setting 'run\.shots' is missing"),
        ({"shots": 3}, r"^run\.shots: it must be even \(got 3\)\.$"),
        ({"shots": 2, "inner": {"margin": -1}}, r"run\.inner\.margin: .* \(got -1\)"),
        ({"shots": 2, "inner": 7}, r"run\.inner: .* \(got 7\)"),
        ({"shots": {"a": 1}}, r"run\.shots: [^(]*$"),
        ({"shots": 2, "a\nb": 1}, r"There is no setting 'run\.a\\nb'"),
    ],
)
def test_complaints(tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        validated(Outer, tree, "run.")


def test_options_of_a_newer_version_are_left_out() -> None:
    assert known_options(Outer, {"shots": 2, "newer": 1}) == {"shots": 2}


def test_long_keys_are_cut() -> None:
    assert brief("x" * 100) == "x" * 100
    assert brief("x" * 101) == "x" * 97 + "..."
    assert len(brief("x" * 1000, 10)) == 10


def test_a_dotted_key_is_told_its_nested_form() -> None:
    with pytest.raises(ConfigError, match=r"no setting 'inner.margin': what is in a section is nested") as caught:
        validated(Outer, {"shots": 2, "inner.margin": 3})
    assert caught.value.todo == "Write it nested, inner: {margin: VALUE}, or give --set inner.margin=VALUE."
    with pytest.raises(ConfigError, match="Did you mean 'shots'"):
        validated(Outer, {"shots": 2, "shots.x": 3})
