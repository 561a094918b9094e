"""Choosing training images before a run."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from dapt.clip.frozen import FrozenClip
from dapt.config import make_config
from dapt.data.items import ImageSet, Item
from dapt.data.labelled import LabelledImages
from dapt.data.load.image_cache import ImageCache
from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.files import read_json
from dapt.runs.run_data import RunData, describe_split
from dapt.runs.selecting import check_selection, narrowed, reselected, select_images
from dapt.runs.train import run_training
from dapt.selection.base import SELECTORS, Selection
from helpers import stopping

SHORT = {"epochs": 1, "batch_size": 4, "shots": 0, "method": "maple", "n_ctx": 2, "depth": 2}


def settings(table: Path, spec: str, out: Path, **changes: object) -> dict[str, object]:
    return {"data": str(table), "model": spec, "out": str(out), **SHORT, **changes}


@pytest.mark.parametrize("name", SELECTORS.names())
def test_every_selector_trains_on_its_share(name: str, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    tree = settings(table, tiny_spec, tmp_path / "run", select=name, fraction=0.5, selection={"epochs": None})
    results = run_training(make_config(tree))
    split = read_json(tmp_path / "run" / "split.json")
    everything = run_training(make_config(settings(table, tiny_spec, tmp_path / "all")))
    whole = Counter(row[1] for row in read_json(tmp_path / "all" / "split.json")["train"])
    assert Counter(row[1] for row in split["train"]) == {label: round(0.5 * count) for label, count in whole.items()}
    assert results["coreset"]["method"] == name
    assert results["coreset"]["candidates"] == everything["counts"]["train"] == sum(whole.values())
    assert results["counts"]["train"] == len(split["train"])
    assert ("weights" in split) == (name == "craig")


def test_weights_have_mean_one_and_act_on_the_loss(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    weighted = settings(table, tiny_spec, tmp_path / "weighted", select="craig", fraction=0.5)
    run_training(make_config(weighted))
    split = read_json(tmp_path / "weighted" / "split.json")
    assert sum(split["weights"]) / len(split["weights"]) == pytest.approx(1)
    assert len(set(split["weights"])) > 1

    def losses(out: Path) -> list[float]:
        return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]

    # the same images in the same order without weights, through a split file
    names = {row[0] for row in split["train"]}
    assert len(names) == len(split["train"])
    (tmp_path / "chosen.json").write_text(json.dumps({key: split[key] for key in ("train", "val", "test")}))
    plain = settings(table, tiny_spec, tmp_path / "plain", split_file=str(tmp_path / "chosen.json"))
    run_training(make_config(plain))
    assert losses(tmp_path / "plain") != losses(tmp_path / "weighted")


def test_stored_weights_come_back_bit_by_bit() -> None:
    generator = random.Random(0)
    names = ("a", "b")
    for _ in range(200):
        items = tuple(Item(Path(f"{number}.png"), number % 2, f"{number}.png") for number in range(30))
        part = LabelledImages(items, tuple(item.label for item in items), names)
        nothing = LabelledImages((), (), names)
        data = RunData(ImageSet("made", Path(), names, {"train": items}), part, nothing, nothing, None, {})
        config = make_config({"data": "made", "select": "craig", "fraction": 0.5})
        index = tuple(generator.sample(range(30), 15))
        weights = tuple(float(generator.randint(1, 9)) for _ in index)
        chosen = narrowed(config, data, Selection(index, weights))
        again = reselected(config, data, json.loads(json.dumps(describe_split(chosen))))
        assert again.weights == chosen.weights
        assert again.train == chosen.train


def test_a_resumed_run_keeps_its_selection(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = settings(table, tiny_spec, tmp_path / "run", select="craig", fraction=0.5, epochs=2)
    whole = run_training(make_config({**tree, "out": str(tmp_path / "whole")}))

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_training(make_config(tree), after_epoch=stopping(2))
    first = read_json(tmp_path / "run" / "split.json")
    monkeypatch.setattr("dapt.runs.load_inputs.select_images", stop)  # it must not choose again
    resumed = run_training(make_config(tree), resume=True)
    assert read_json(tmp_path / "run" / "split.json") == first
    assert resumed["metrics"] == whole["metrics"]


def test_global_budget_and_seed(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    chosen = []
    for seed in (1, 1, 2):
        out = tmp_path / f"run{len(chosen)}"
        tree = settings(table, tiny_spec, out, select="uniform", fraction=0.3, selection={"balanced": False}, seed=seed)
        run_training(make_config(tree))
        chosen.append([row[0] for row in read_json(out / "split.json")["train"]])
    total = read_json(out / "split.json")["selection"]["candidates"]
    assert len(chosen[0]) == round(0.3 * total)
    assert chosen[0] == chosen[1] != chosen[2]


def test_methods_without_a_classifier_of_their_own_are_looked_at_by_the_zero_shot_model(
    table: Path, tiny_spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = {
        "data": str(table),
        "model": tiny_spec,
        "shots": 0,
        "method": "tip_adapter",
        "select": "herding",
        "fraction": 0.5,
        "out": str(tmp_path / "run"),
    }
    results = run_training(make_config(tree))
    assert "zero-shot model" in capsys.readouterr().out + (tmp_path / "run" / "log.txt").read_text()
    assert results["counts"]["train"] < results["counts"]["train_candidates"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fraction": 0.5}, "how to choose"),
        ({"select": "herdin", "fraction": 0.5}, "herding"),
        ({"select": "herding", "fraction": 0.5, "selection": {"options": {"k": 1}}}, "selection.options.k"),
        (
            {"select": "herding", "fraction": 0.5, "selection": {"options": {"legacy": True}}},
            "selection.options.legacy",
        ),
        ({"select": "cal", "fraction": 0.5, "selection": {"options": {"neighbours": 0}}}, "neighbours"),
        ({"select": "submodular", "fraction": 0.5, "selection": {"options": {"function": "cut"}}}, "graph_cut"),
        ({"select": "forgetting", "fraction": 0.5, "selection": {"epochs": 0}}, "cannot be 0"),
        ({"select": "forgetting", "fraction": 0.5, "method": "zero_shot", "n_ctx": None, "depth": None}, "no training"),
    ],
)
def test_mistakes_are_found_before_anything_is_written(
    changes: dict[str, object], words: str, table: Path, tiny_spec: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        run_training(make_config(settings(table, tiny_spec, tmp_path / "run", **changes)))
    assert not (tmp_path / "run").exists()


def test_a_budget_of_nothing_is_refused(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leaves no image"):
        run_training(make_config(settings(table, tiny_spec, tmp_path / "run", select="grand", fraction=0.01)))


def test_images_that_show_several_classes_are_drawn_at_random_only() -> None:
    items = tuple(Item(Path(f"{number}.png"), 0, f"{number}.png", labels=(0, 1)) for number in range(4))
    names = ("a", "b")
    part, nothing = LabelledImages(items, (0,) * 4, names), LabelledImages((), (), names)
    source = ImageSet("made", Path(), names, {"train": items}, multi_label=True)
    data = RunData(source, part, nothing, nothing, None, {})

    def load() -> FrozenClip:
        raise AssertionError("no model is needed")

    grand = make_config({"data": "made", "select": "grand", "fraction": 0.5})
    with pytest.raises(NotSupportedError, match="several"):
        select_images(grand, check_selection(grand), data, load, ImageCache(0))
    uniform = make_config({"data": "made", "select": "uniform", "fraction": 0.5})
    assert len(select_images(uniform, check_selection(uniform), data, load, ImageCache(0)).train.items) == 2


def test_weights_that_nothing_reads_are_pointed_out(
    table: Path, tiny_spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = settings(table, tiny_spec, tmp_path / "run", select="craig", fraction=0.5, method="tip_adapter")
    del tree["n_ctx"], tree["depth"]
    run_training(make_config(tree))
    assert "no loss that would read the weights" in capsys.readouterr().err
