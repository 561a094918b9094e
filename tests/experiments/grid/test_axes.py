"""Keys of an experiment: what they are about, and which lists are gone over."""

from __future__ import annotations

import pytest

from dapt.errors import ConfigError
from dapt.experiments.grid.axes import axis_of, sorted_axes, takes_lists, values_of


def test_plurals_and_settings() -> None:
    assert [axis_of(key) for key in ("methods", "method", "cues", "seeds", "dapt.margin", "lr")] == [
        "method",
        "method",
        "cue",
        "seed",
        "dapt.margin",
        "lr",
    ]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("metods", "Did you mean 'methods'"),
        ("dapt.margn", "Did you mean 'dapt.margin'"),
        ("lr.x", "lr is no section"),
        ("out", "There is no key 'out'"),
        ("", "There is no key ''"),
    ],
)
def test_unknown_keys(key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        axis_of(key)


def test_lists_are_gone_over_but_where_the_setting_is_a_list() -> None:
    assert values_of("methods", "method", ["coop", "maple"]) == ["coop", "maple"]
    assert values_of("method", "method", "coop") is None
    assert values_of("plugins", "plugins", ["a.py", "b.py"]) is None
    assert values_of("plugins", "plugins", [["a.py"], ["b.py"]]) == [["a.py"], ["b.py"]]
    assert values_of("dapt.words", "dapt.words", ["sky", "grass"]) is None
    assert values_of("dapt.words", "dapt.words", ["auto", ["sky"]]) == ["auto", ["sky"]]
    assert takes_lists("crop_scale")
    assert takes_lists("dapt.words")
    assert not takes_lists("dapt.margin")
    assert not takes_lists("prompt.anything")


@pytest.mark.parametrize(("values", "said"), [([], "empty list"), ([1, 2, 1], "names 1 twice")])
def test_lists_that_cannot_be_meant(values: list[int], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        values_of("seeds", "seed", values)


@pytest.mark.parametrize("second", [1.0, "1"])
def test_one_value_written_in_two_ways(second: object) -> None:
    with pytest.raises(ConfigError, match=rf"'seeds' names 1 and {second!r}, which are the same"):
        values_of("seeds", "seed", [1, second])


def test_true_is_not_one() -> None:
    assert values_of("dapt", "dapt", [True, 1]) == [True, 1]


def test_order() -> None:
    assert sorted_axes({"seed": 1, "lr": 1, "shots": 1, "method": 1, "data": 1}) == [
        "data",
        "method",
        "shots",
        "lr",
        "seed",
    ]


@pytest.mark.parametrize(("key", "text"), [("methods", "coop, maple"), ("methods", "-coop -maple"), ("seeds", "1-3")])
def test_lists_written_as_a_text(key: str, text: str) -> None:
    with pytest.raises(ConfigError, match=r"A list is written \[a, b\]"):
        values_of(key, axis_of(key), text)
