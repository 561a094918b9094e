"""Figures of the demonstration, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.data.items import Item
from dapt.demo.drawing.look import OBJECTS
from dapt.demo.drawing.objects import class_names
from dapt.demo.figures import (
    Spread,
    collect,
    curves,
    headline,
    names_of,
    results_tree,
    spread,
    taken_for_background,
)
from dapt.demo.setting import DemoSettings, check_runs, command, plan, scenes_command
from dapt.errors import ConfigError
from dapt.results import RunResults


def test_spread() -> None:
    assert spread([4.0]) == Spread(4.0, 0.0, (4.0,))
    found = spread([1.0, 2.0, 6.0])
    assert found.mean == 3.0
    assert found.std == pytest.approx(7**0.5)


def scene(name: str, group: str, background: str) -> Item:
    meta = (("group", group), ("background", background))
    return Item(Path("x.png"), class_names().index(name), "x.png", None, meta)


def test_taken_for_something_of_the_background() -> None:
    index = class_names().index
    homes = [OBJECTS[name].home for name in class_names()]
    water = [name for name in class_names() if OBJECTS[name].home == "water"]
    items = [scene("car", "exchanged", "water") for _ in range(4)] + [scene("car", "own", "road")]
    labels = [index("car")] * 5
    guesses = [index(water[0]), index("car"), index("penguin"), index(water[1]), index("bus")]
    assert taken_for_background(items, labels, guesses, homes) == 50.0
    right = [scene(water[0], "exchanged", "water")]  # cannot be, and a right answer is no mistake
    assert taken_for_background(right, [index(water[0])], [index(water[0])], homes) == 0.0


def test_figures_of_several_seeds_reach_the_results(tmp_path: Path) -> None:
    settings = DemoSettings(seeds=2, epochs=2)
    runs, taken = {}, {}
    for kind, worth in (("zero_shot", 50.0), ("host", 60.0), ("dapt", 70.0)):
        for seed, name in enumerate(names_of(kind, settings), start=1):
            value = worth + seed
            metrics = {"test/accuracy": value, "test/worst_group": value - 20, "cue/foreground_attention": value - 30}
            groups = {"own": value + 20, "exchanged": value - 20}
            about = {"method": kind, "dapt": kind == "dapt", "backbone": "demo", "data": "scenes"}
            runs[name] = RunResults(**about, shots=4, seed=seed, metrics=metrics, per_group=groups)
            taken[name] = float(seed)
            lines = [{"epoch": epoch, "L_cls": value + epoch, "lr": 1.0} for epoch in (1, 2)]
            folder = tmp_path / name
            folder.mkdir()
            (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    tree = results_tree(collect(runs, taken, settings), {"settings": settings.model_dump()})
    assert tree["host"]["test/accuracy"] == 61.5
    assert tree["host"]["std"]["test/accuracy"] == pytest.approx(0.5**0.5)
    assert tree["dapt"]["seeds"]["test/worst_group"] == [51.0, 52.0]
    assert tree["dapt"]["test/accuracy_own"] == 91.5
    assert tree["dapt"]["cue/foreground_attention"] == 41.5
    assert tree["zero_shot"]["seeds"]["test/accuracy"] == [51.0]
    assert tree["host"]["test/taken_for_background"] == 1.5
    assert curves(tmp_path, settings) == {
        "host": {"L_cls": [[62.0, 63.0], [63.0, 64.0]]},
        "dapt": {"L_cls": [[72.0, 73.0], [73.0, 74.0]]},
    }


@pytest.mark.parametrize(("before", "after", "sign"), [(50.0, 60.0, "+10.0"), (60.0, 50.0, "-10.0")])
def test_the_headline_says_what_was_measured(before: float, after: float, sign: str) -> None:
    def measures(value: float) -> dict[str, Spread]:
        return {name: Spread(value, 0.0, (value,)) for name in ("test/worst_group", "cue/foreground_attention")}

    text = headline({"zero_shot": measures(33.3), "host": measures(before), "dapt": measures(after)}, "MaPLe")
    assert text.count(f"({sign}") == 2
    assert "without any training 33.3%" in text


def test_host_and_dapt_differ_in_the_dapt_terms_alone(tmp_path: Path) -> None:
    configs = plan(DemoSettings(seeds=2), tmp_path / "index.csv", tmp_path / "runs")
    assert set(configs) == {"zero_shot", "host-seed1", "host-seed2", "dapt-seed1", "dapt-seed2"}
    for seed in (1, 2):
        host, dapt = configs[f"host-seed{seed}"].model_dump(), configs[f"dapt-seed{seed}"].model_dump()
        different = {key for key in host if host[key] != dapt[key]}
        assert different == {"dapt", "cue", "out"}
        assert host["seed"] == seed
    text = command(configs["dapt-seed1"], tmp_path)
    assert text.startswith("dapt train index.csv --model demo --method maple")
    assert "--dapt --cue dataset" in text
    assert "--set" not in text, "DAPT is as it is with --dapt alone"


def test_the_command_that_draws_the_same_scenes() -> None:
    assert scenes_command(DemoSettings(seeds=9), "data") == "dapt demo --data-only data"
    text = scenes_command(DemoSettings(scene_seed=2, size=64), "data")
    assert text == "dapt demo --data-only data --set size=64 --set scene_seed=2"


def test_more_shots_than_scenes() -> None:
    with pytest.raises(ConfigError, match="16 training scenes per class, too few for 20 shots"):
        check_runs(DemoSettings(shots=20))
    check_runs(DemoSettings(shots=20, train_per_class=20))
