"""Experiment files: what they say, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config_text import read_yaml
from dapt.errors import ConfigError
from dapt.experiments.grid.experiment import make_experiment, with_values

FILE = """
methods: [coop, maple]
dapt: [false, phased]
data: [a, b]
seeds: [1, 2, 3]
protocol: base_to_novel
epochs: 5
over: {few-shot: [1, 4]}
exclude: {method: coop, dapt: phased}
include: [{methods: coop, lr: 0.01}]
"""


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    path.write_text(FILE)
    found = make_experiment(read_yaml(path), path.stem)
    assert (found.name, found.out) == ("table", Path("runs/table"))
    assert found.axes == {"data": ["a", "b"], "method": ["coop", "maple"], "dapt": [False, "phased"], "seed": [1, 2, 3]}
    assert list(found.axes) == ["data", "method", "dapt", "seed"]
    assert found.fixed == {"protocol": "base_to_novel", "epochs": 5}
    assert found.exclude == ({"method": "coop", "dapt": "phased"},)
    assert found.include == ({"method": "coop", "lr": 0.01},)
    assert found.over == {"few_shot": ["1", "4"]}
    assert found.retries == 1
    assert make_experiment(read_yaml(path), path.stem, "elsewhere").out == Path("elsewhere")


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"methods": ["coop"]}, "No data was named"),
        ({"data": "a", "metods": ["coop"]}, "Did you mean 'methods'"),
        ({"data": [], "methods": ["coop"]}, "'data' is an empty list"),
        ({"data": "a", "methods": ["coop"], "method": "maple"}, "'method' and 'methods' are the same"),
        ({"data": "a", "include": ["coop"]}, "each entry is keys and values"),
        ({"data": "a", "exclude": [{}]}, "each entry is keys and values"),
        ({"data": "a", "include": [{"methods": "a", "method": "b"}]}, "names a setting twice"),
        ({"data": "a", "over": [1, 4]}, "'over' names points"),
        ({"data": "a", "over": {"few_shot": []}}, "'over' names points"),
        ({"data": "a", "over": {"foo": [1]}}, "'over' names points of foo, which is no protocol"),
        ({"data": "a", "vary": [{"lr": []}]}, "'lr' is an empty list"),
        ({"data": "a", "vary": [{"seeds": [1, 1.0]}]}, "'seeds' names 1 and 1.0"),
        ({"data": "a", "include": [{"method": "coop", "seed": [1, 1]}]}, "'seed' names 1 twice"),
        ({"data": "a", "retries": -1}, "'retries' is -1"),
        ({"data": "a", "retries": True}, "'retries' is True"),
        ({"data": "a", "name": 3}, "'name' is 3"),
        ({"data": "a", "out": 3}, "'out' is 3"),
        ({"data": "a", "lr": [float("inf")]}, "finite"),
    ],
)
def test_mistakes(tree: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        make_experiment(tree, "x", where="x.yaml")
    assert "x.yaml" in caught.value.message


def test_other_values() -> None:
    tree = {"methods": ["coop"], "seeds": [1, 2], "data": "a"}
    found = with_values(tree, ["seed=3", "dapt.margin=[1, 2]", "data=[b, c]"])
    assert found == {"methods": ["coop"], "seed": 3, "dapt.margin": [1, 2], "data": ["b", "c"]}
    assert tree["data"] == "a"
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        with_values(tree, ["seeds"])


def test_what_is_varied_and_what_it_is_about() -> None:
    found = make_experiment(
        {"data": "a", "about": " Words.\n", "vary": [{"dapt.margin": [1, 2]}, {"cues": "border"}]}, "e"
    )
    assert found.about == "Words."
    assert found.vary == ({"dapt.margin": [1, 2]}, {"cue": "border"})
    with pytest.raises(ConfigError, match="'about'"):
        make_experiment({"data": "a", "about": [1]}, "e")
