"""Experiment files: what they say, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.experiments.grid.experiment import make_experiment, read_experiment

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
    found = read_experiment(path)
    assert (found.name, found.out) == ("table", Path("runs/table"))
    assert found.axes == {"data": ["a", "b"], "method": ["coop", "maple"], "dapt": [False, "phased"], "seed": [1, 2, 3]}
    assert list(found.axes) == ["data", "method", "dapt", "seed"]
    assert found.fixed == {"protocol": "base_to_novel", "epochs": 5}
    assert found.exclude == ({"method": "coop", "dapt": "phased"},)
    assert found.include == ({"method": "coop", "lr": 0.01},)
    assert found.over == {"few_shot": ["1", "4"]}
    assert found.retries == 1
    assert read_experiment(path, "elsewhere").out == Path("elsewhere")


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
