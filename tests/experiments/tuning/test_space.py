"""What a search goes over, as texts and as the default."""

from __future__ import annotations

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.experiments.tuning.search import with_values
from dapt.experiments.tuning.space import Choice, Range, own_space, space_from
from dapt.methods.base import METHODS


def test_texts() -> None:
    found = space_from(["lr=1e-4..0.1:log", "dapt.margin=0.5..2", "prompt.n_ctx=2,4", "dapt.variant=phased,joint"])
    assert found == {
        "lr": Range(1e-4, 0.1, log=True),
        "dapt.margin": Range(0.5, 2.0),
        "prompt.n_ctx": Choice((2, 4)),
        "dapt.variant": Choice(("phased", "joint")),
    }


@pytest.mark.parametrize(
    "text", ["lr", "lr=", "=1..2", "lr=2..1", "lr=0..1:log", "lr=a..b", "lr=1..2:lin", "lr=1..inf"]
)
def test_what_is_no_space(text: str) -> None:
    with pytest.raises(ConfigError, match="--space"):
        space_from([text])


def test_a_key_twice() -> None:
    with pytest.raises(ConfigError, match="twice"):
        space_from(["lr=1..2", "lr=3..4"])


@pytest.mark.parametrize("method", [name for name in METHODS.names() if METHODS.get(name).trains])
def test_both_ends_of_every_default_space_are_settings(method: str) -> None:
    tree = {"data": "-", "method": method, "dapt": True}
    for key, each in own_space(make_config(tree)).items():
        for value in each.values if isinstance(each, Choice) else (each.low, each.high):
            make_config(with_values(tree, {key: value}))
