"""Experiments made small."""

from __future__ import annotations

from pathlib import Path

from dapt.data.resolve import load_data
from dapt.demo.smoke import CLASSES, DEPTH, EPOCHS, small, small_experiment
from dapt.experiments.grid.expand import expand
from dapt.experiments.grid.experiment import make_experiment

TREE = {
    "methods": ["zero_shot", "vpt"],
    "dapt": [False, "phased"],
    "data": ["imagenet", "dtd"],
    "shots": [1, 16],
    "seeds": [1, 2, 3],
    "epochs": 50,
    "model": "ViT-B-16/openai",
    "exclude": [{"method": "zero_shot", "dapt": "phased"}, {"data": "dtd", "method": "vpt"}],
    "include": [{"method": "vpt", "epochs": 9, "lr": 0.01}, {"data": "dtd", "epochs": 9}],
}


def test_all_that_takes_time_is_small_and_the_rest_stays(tmp_path: Path) -> None:
    found, said = small(TREE, tmp_path)
    cells = expand(make_experiment(found, "e")).cells
    assert [(cell.settings["method"], "dapt" in cell.settings) for cell in cells] == [
        ("zero_shot", False),
        ("vpt", False),
        ("vpt", True),
    ]
    for cell in cells:
        assert cell.settings["model"] == "demo"
        assert (cell.settings["epochs"], cell.settings["shots"], cell.settings["seed"]) == (EPOCHS, 1, 1)
    assert cells[2].settings["lr"] == 0.01
    assert cells[2].settings["prompt"] == {"depth": DEPTH}
    drawn = load_data(cells[0].settings["data"])
    assert len(drawn.names) == CLASSES
    assert all(item.mask for item in drawn.splits["train"])
    assert said[0] == "2 data sets -> 4 classes of drawn scenes"
    assert TREE["epochs"] == 50, "what was given is not changed"


def test_protocols_on_other_data_get_other_scenes(tmp_path: Path) -> None:
    found, _ = small({"data": "imagenet", "protocol": ["cross-dataset"], "select": ["glister", "craig"]}, tmp_path)
    (other,) = found["over"]["cross_dataset"]
    assert found["data"] != [other]
    assert load_data(other).names == load_data(found["data"][0]).names
    assert found["select"] == ["craig"]


def test_its_folder_is_another_one(tmp_path: Path, capsys) -> None:
    tree, place = small_experiment({"data": "dtd"}, "table", str(tmp_path / "out"))
    assert (tree["name"], place) == ("table-smoke", str(tmp_path / "out"))
    assert (tmp_path / "out-data" / "scenes1" / "index.csv").is_file()
    assert "Figures of such runs mean nothing" in capsys.readouterr().err


def test_entries_of_several_data_sets_come_down_to_one(tmp_path: Path) -> None:
    entries = [{"method": "coop", "data": each, "lr": lr} for each, lr in (("a", 0.1), ("b", 0.2))]
    found, _ = small({"methods": ["coop"], "data": ["a", "b"], "include": entries}, tmp_path)
    (cell,) = expand(make_experiment(found, "x")).cells
    assert cell.settings["lr"] == 0.1


def test_what_the_file_includes_wins_over_shallower_prompts(tmp_path: Path) -> None:
    tree = {"methods": ["ivlp"], "data": "a", "include": [{"method": "ivlp", "prompt.depth": 3}]}
    found, _ = small(tree, tmp_path)
    (cell,) = expand(make_experiment(found, "x")).cells
    assert cell.settings["prompt"]["depth"] == 3
