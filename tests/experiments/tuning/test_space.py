"""What a search goes over, as texts, as a section of the file and as the default."""

from __future__ import annotations

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.experiments.tuning.space import at_start, checked, own_space, space_from, space_of, with_values
from dapt.methods.base import METHODS
from dapt.methods.search import Choice, Range


def test_texts() -> None:
    found = space_from(["lr=1e-4..0.1:log", "dapt.margin=0.5..2", "prompt.n_ctx=2,4", "dapt.variant=phased,joint"])
    assert found == {
        "lr": Range(1e-4, 0.1, log=True),
        "dapt.margin": Range(0.5, 2.0),
        "prompt.n_ctx": Choice((2, 4)),
        "dapt.variant": Choice(("phased", "joint")),
    }


def test_a_section_of_the_file() -> None:
    found = space_of({"lr": "1e-4..0.1:log", "prompt.n_ctx": [2, 4]})
    assert found == space_from(["lr=1e-4..0.1:log", "prompt.n_ctx=2,4"])
    for wrong in ({}, [], {"lr": 3}, {"lr": []}, {"lr": "high"}, {"lr": [[1], 2]}):
        with pytest.raises(ConfigError, match="space"):
            space_of(wrong)


@pytest.mark.parametrize(
    "text",
    ["lr", "=1..2", "lr=2..1", "lr=0..1:log", "lr=a..b", "lr=1..2:lin", "lr=1..inf", "lr=1,1", "lr=1,{a}"],
)
def test_what_is_no_space(text: str) -> None:
    with pytest.raises(ConfigError, match="--space"):
        space_from([text])


def test_a_key_twice() -> None:
    with pytest.raises(ConfigError, match="twice"):
        space_from(["lr=1..2", "lr=3..4"])


@pytest.mark.parametrize("method", [name for name in METHODS.names() if METHODS.get(name).trains])
def test_every_default_space_holds_settings(method: str) -> None:
    tree = {"data": "-", "method": method, "dapt": True}
    space = own_space(tree)
    assert checked(space, tree) == space
    assert at_start(space, make_config(tree))["lr"] == make_config(tree).lr
    assert {"lr", "dapt.margin"} <= set(space)


def test_what_the_file_sets_stays() -> None:
    tree = {"data": "-", "method": "maple", "lr": 0.1, "prompt": {"depth": 3}, "dapt": {"margin": 1.0}}
    space = own_space(tree)
    assert not {"lr", "prompt.depth", "dapt.margin"} & set(space)
    assert {"prompt.n_ctx", "dapt.visual_weight", "epochs", "weight_decay"} <= set(space)
    fixed = {"lr": 0.1, "epochs": 2, "weight_decay": 0.0}
    with pytest.raises(ConfigError, match="nothing is left"):
        own_space({"data": "-", "method": "cocoop", **fixed})


def test_whole_numbers_and_wrong_keys() -> None:
    tree = {"data": "-", "method": "maple"}
    assert checked(space_from(["epochs=1..50"]), tree) == {"epochs": Range(1, 50, whole=True)}
    assert checked(space_from(["lr=0.1..2"]), tree) == {"lr": Range(0.1, 2)}
    for text in ("prompt.n_ctxx=1,2", "epochs=-1..5", "seed=1,2", "data=a,b", "lr.x=1..2"):
        with pytest.raises(ConfigError):
            checked(space_from([text]), tree)


def test_values_go_into_sections_in_their_short_form() -> None:
    tree = {"dapt": True, "cue": "gradcam"}
    found = with_values(tree, {"dapt.margin": 1.0, "cue.grid": 7, "lr": 0.1})
    assert found == {"dapt": {"enabled": True, "margin": 1.0}, "cue": {"source": "gradcam", "grid": 7}, "lr": 0.1}
    assert tree == {"dapt": True, "cue": "gradcam"}
