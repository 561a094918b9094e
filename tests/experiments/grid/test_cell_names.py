"""Names of cells: short, different, and good for folders."""

from __future__ import annotations

import re

import pytest

from dapt.errors import ConfigError
from dapt.experiments.grid.cell_names import LONGEST, named


def test_names() -> None:
    shared = {"data": "/d/my photos", "cue": "border"}
    assert named([{"method": "coop"}, {"method": "maple", "dapt": "joint"}], shared) == [
        "my_photos-coop-16shot-seed1",
        "my_photos-maple+dapt-joint-16shot-seed1",
    ]
    assert named([{"select": "herding", "fraction": 0.1}], shared) == ["my_photos-maple-herding-10pct-16shot-seed1"]
    cell = {"select": "glister", "protocol": "data_efficient"}
    assert named([cell], shared) == ["my_photos-data_efficient-maple-glister-seed1"]


def test_long_names_are_told_by_a_hash() -> None:
    words = [{"dapt.words": ["sky" * 60, name]} for name in ("a", "b")]
    first, second = named(words, {"data": "d", "dapt": True})
    assert first != second
    assert max(len(first), len(second)) <= LONGEST
    assert re.fullmatch(r"[A-Za-z0-9_.+=-]+", first)


def test_values_that_are_written_alike() -> None:
    with pytest.raises(ConfigError, match=r"prompt\.init only"):
        named([{"prompt.init": "a b"}, {"prompt.init": "a/b"}], {"data": "d"})
