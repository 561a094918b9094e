"""What takes no training, found beside a run on the same images."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from dapt.clip.load import load_clip
from dapt.config import RunConfig, make_config
from dapt.runs.baselines import closed_form_for, find_baselines
from dapt.runs.run_data import RunData, load_run_data
from dapt.runs.train import run_training
from helpers import run_with


def beside(table: Path, spec: str, tmp_path: Path, **changes: object) -> tuple[RunConfig, RunData]:
    config = make_config(run_with(table, spec, tmp_path / "run", **changes))
    return config, load_run_data(config)


@pytest.mark.parametrize(("method", "prompt"), [("zero_shot", {}), ("gda", {"views": 0})])
def test_they_are_what_runs_of_these_methods_find(
    table: Path, tiny_spec: str, tmp_path: Path, method: str, prompt: dict[str, object]
) -> None:
    found = find_baselines(*beside(table, tiny_spec, tmp_path), load_clip(tiny_spec))
    assert set(found.figures) == {"zero_shot", "gda"}
    given = run_with(table, tiny_spec, tmp_path / method, method=method, prompt=prompt)
    given = {key: value for key, value in given.items() if key not in ("depth", "epochs")}
    assert run_training(make_config(given)).metrics["test/accuracy"] == found.figures[method]["test/accuracy"]


def test_held_back_classes_are_asked_about_where_a_method_can_name_them(
    table: Path, tiny_spec: str, tmp_path: Path
) -> None:
    found = find_baselines(*beside(table, tiny_spec, tmp_path, subset="base"), load_clip(tiny_spec))
    assert set(found.figures["zero_shot"]) == {"test/accuracy", "test/accuracy_novel"}
    assert set(found.figures["gda"]) == {"test/accuracy"}


def test_one_image_of_each_class_has_no_covariance(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    assert closed_form_for(Counter({0: 1, 1: 1}))[0] == "tip_adapter"
    assert closed_form_for(Counter({0: 1, 1: 2}))[0] == "gda"
    found = find_baselines(*beside(table, tiny_spec, tmp_path, shots=1), load_clip(tiny_spec))
    assert set(found.figures) == {"zero_shot", "tip_adapter"}


def test_equal_images_are_no_failure(table: Path, tiny_spec: str, tmp_path: Path, capsys) -> None:
    config, data = beside(table, tiny_spec, tmp_path)
    first = dict(zip(data.train.labels, data.train.items, strict=True))
    items = tuple(first[label] for label in data.train.labels)
    found = find_baselines(config, replace(data, train=replace(data.train, items=items)), load_clip(tiny_spec))
    assert set(found.figures) == {"zero_shot"}
    assert "GDA is left out: All training features of each class are the same" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "methods"),
    [
        ({"method": "zero_shot", "epochs": 0}, {"gda"}),
        ({"method": "gda", "epochs": 0}, {"zero_shot"}),
    ],
)
def test_the_method_itself_is_left_out(
    table: Path, tiny_spec: str, tmp_path: Path, changes: dict[str, object], methods: set[str]
) -> None:
    given = {key: value for key, value in run_with(table, tiny_spec, tmp_path / "run").items() if key != "depth"}
    config = make_config({**given, **changes})
    assert set(find_baselines(config, load_run_data(config), load_clip(tiny_spec)).figures) == methods


def test_no_test_images_no_baselines(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    config, data = beside(table, tiny_spec, tmp_path)
    nothing = replace(data, test=replace(data.test, items=(), labels=()))
    assert find_baselines(config, nothing, load_clip(tiny_spec)).figures == {}


def test_a_run_records_them_only_when_asked(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    given = run_with(table, tiny_spec, tmp_path / "with", epochs=1)
    found = run_training(make_config(given), baselines=True)
    assert set(found.baselines) == {"zero_shot", "gda"}
    assert found.timing["baselines_seconds"]
    plain = run_training(make_config({**given, "out": str(tmp_path / "without")}))
    assert plain.baselines == {}
    assert "baselines_seconds" not in plain.timing
    assert plain.metrics == found.metrics
