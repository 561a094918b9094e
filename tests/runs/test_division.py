"""What runs note of how their data was divided, and what later runs keep of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.config import make_config, make_saved_config
from dapt.errors import ConfigError, DaptError
from dapt.runs.check import check_run
from dapt.runs.division import check_keeps, describe_division, how_divided
from dapt.runs.run_data import load_run_data
from dapt.runs.run_folder import RunFolder
from dapt.runs.run_settings import as_written_before, result_settings
from helpers import make_csv, make_folder

ROWS = {"train": [["a.jpg", 0, "cat"]], "val": [], "test": [["b.jpg", 0, "cat"]], "novel": [["c.jpg", 1, "dog"]]}
NOTED = {"schema": 1, "train": {"a.jpg": "11"}, "val": {}, "test": {"b.jpg": "22"}}


def started(folder: Path, division: dict | None = None, **settings: object) -> RunFolder:
    """A run that was begun; without a rule in its settings as one of before rules had names."""
    run = RunFolder(folder)
    config = make_config({"data": "photos", "model": "demo", **settings})
    inputs = {"whole": True, "images": {"a.jpg": "1" * 32 + " matte", "b.jpg": "2" * 32}}
    run.begin(config, resume=False, overwrite=False, split=ROWS, inputs=inputs, division=division)
    run.lock.release()
    return run


def test_a_run_of_before_goes_on_by_positions(tmp_path: Path, by_content: None) -> None:
    run = started(tmp_path / "run")
    assert "split_rule" not in run.config_file.read_text()
    config = make_config({"data": "photos", "model": "demo", "out": str(run.path)})
    assert run.config().split_rule == "positions"
    assert run.going_on(config).split_rule == "positions"
    assert how_divided(run.config(), run) == {"rule": "positions", "classes": None}
    fresh = check_run(make_config({"data": "photos", "model": "demo", "out": str(tmp_path / "new")}), **FRESH)
    assert fresh.config.split_rule == "hash"
    assert result_settings(fresh.config)["split_rule"] == "hash"
    assert "split_rule" not in result_settings(run.config()), "its identity is what it was"
    named = check_run(make_config({"data": "oxford_pets", "model": "demo", "out": str(tmp_path / "pets")}), **FRESH)
    assert named.config.split_rule is None, "published splits are not divided"


FRESH = {"resume": False, "overwrite": False}


def test_files_of_runs_mean_the_rule_of_then(tmp_path: Path) -> None:
    whole = make_config({"data": "photos", "model": "demo"}).model_dump(mode="json", exclude_none=True)
    assert as_written_before(whole)["split_rule"] == "positions"
    assert as_written_before({**whole, "split_rule": "hash"})["split_rule"] == "hash"
    assert as_written_before({"data": "photos", "shots": 4}) == {"data": "photos", "shots": 4}, "somebody typed it"
    assert make_saved_config({"data": "photos", "model": "demo"}).split_rule == "positions"


def test_what_a_run_noted_decides(tmp_path: Path) -> None:
    own = started(tmp_path / "run", NOTED, split_rule="hash")
    found = how_divided(own.config(), own)
    assert found["rule"] == "hash"
    assert (found["earlier"].by_content, found["earlier"].by_name) == (
        {"11": "train", "22": "test"},
        {"a.jpg": "train", "b.jpg": "test"},
    )
    assert not found["earlier"].deal, "the content of new images decides, as in the run"
    kept = make_config({"data": "photos", "model": "demo", "keep_split": str(own.path)})
    assert how_divided(kept)["earlier"].deal


def test_runs_that_noted_nothing_have_their_lists(tmp_path: Path) -> None:
    old = started(tmp_path / "run")
    earlier = how_divided(make_config({"data": "photos", "model": "demo", "keep_split": str(old.path)}))["earlier"]
    assert earlier.by_name == {"a.jpg": "train", "b.jpg": "test", "c.jpg": "test"}
    assert earlier.by_content == {"1" * 32: "train", "2" * 32: "test"}


def test_what_is_refused(tmp_path: Path) -> None:
    def keeping(**settings: object) -> None:
        check_keeps(make_config({"data": "photos", "model": "demo", **settings}))

    keeping()
    with pytest.raises(ConfigError, match=r"holds no run with a split\.json"):
        keeping(keep_split=str(tmp_path))
    run = started(tmp_path / "run", NOTED)
    keeping(keep_split=str(run.path))
    with pytest.raises(ConfigError, match="keep_split keeps what it had"):
        keeping(keep_split=str(run.path), split_rule="positions")
    other = started(tmp_path / "other", {"schema": 1, "train": []})
    with pytest.raises(DaptError, match="not what dapt writes"):
        how_divided(make_config({"data": "photos", "model": "demo", "keep_split": str(other.path)}))


def test_only_divided_data_is_noted(tmp_path: Path, by_content: None) -> None:
    table = load_run_data(make_config({"data": str(make_csv(tmp_path / "table")), "model": "demo"}))
    assert describe_division(table.source) is None


def test_more_photos_hardly_change_the_few_shots(tmp_path: Path, by_content: None) -> None:
    root = make_folder(tmp_path / "photos", per_class=24, classes=2)
    settings = {"data": str(root), "model": "demo", "shots": 4}
    before = load_run_data(make_config(settings))
    make_folder(tmp_path / "more", per_class=1, classes=2, first=9000)
    for path in (tmp_path / "more").glob("*/*.png"):
        path.rename(root / path.parent.name / "new.png")
    after = load_run_data(make_config(settings))
    for part in ("train", "val"):
        was, now = ({item.name for item in getattr(data, part).items} for data in (before, after))
        assert all(name.endswith("new.png") for name in now - was)
    assert {item.name for item in before.test.items} <= {item.name for item in after.test.items}
    assert load_run_data(make_config({**settings, "seed": 2})).train.items != after.train.items


@pytest.fixture
def numbers():
    """Numbers of images by split, in a run's own words."""

    def count(run: Path) -> dict[str, dict[str, str]]:
        noted = json.loads((run / "division.json").read_text())
        return {side: noted[side] for side in ("train", "val", "test")}

    return count


def test_photos_arrive_on_the_command_line(dapt, numbers, tmp_path: Path, tiny_spec: str, by_content: None) -> None:
    root = make_folder(tmp_path / "photos", per_class=9, classes=3)
    common = ("--model", tiny_spec, "--method", "zero_shot", "--device", "cpu", "--shots", 0)
    first, second = tmp_path / "first", tmp_path / "second"
    code, _, err = dapt("train", root, *common, "--out", first)
    assert code == 0, err
    assert "divided by the content of each image" in err
    assert "split_rule: hash" in (first / "run.yaml").read_text()
    before = numbers(first)
    make_folder(tmp_path / "more", per_class=6, classes=3, first=9000)
    for path in sorted((tmp_path / "more").glob("*/*.png")):
        path.rename(root / path.parent.name / f"new{path.name}")
    next((root / "red_square").glob("0*.png")).rename(root / "red_square" / "renamed.png")

    code, _, err = dapt("eval", first, "--device", "cpu", "--split", "test")
    assert code == 0, err
    assert "trained on" not in err

    code, _, err = dapt("train", root, *common, "--keep-split", first, "--out", second)
    assert code == 0, err
    assert "27 of 45 images stay on the sides of" in err
    after = numbers(second)
    for side, known in before.items():
        assert set(known.values()) <= set(after[side].values())
    for name in ("red_square", "blue_disc", "green_bar"):
        counts = [sum(image.startswith(f"{name}/") for image in after[side]) for side in ("train", "val", "test")]
        assert sum(counts) == 15
        spread = [sum(image.startswith(f"{name}/") for image in before[side]) for side in ("train", "val", "test")]
        for number, was, share in zip(counts, spread, (0.5, 0.2, 0.3), strict=True):
            assert abs(number - share * 15) <= 1 or number == was, "new ones cannot make it fewer"

    code, _, err = dapt("train", root, *common, "--keep-split", tmp_path / "none", "--out", tmp_path / "third")
    assert code == 2
    assert "--keep-split names" in err
    code, _, err = dapt("train", make_csv(tmp_path / "t"), *common, "--keep-split", first, "--out", tmp_path / "third")
    assert code == 2
    assert "has splits of its own" in err


def test_some_classes_on_the_command_line(dapt, tmp_path: Path, tiny_spec: str) -> None:
    root = make_folder(tmp_path / "photos", per_class=8)
    common = ("train", root, "--model", tiny_spec, "--method", "zero_shot", "--device", "cpu")
    (tmp_path / "two.txt").write_text("white_ring\n\nred square\n")
    for number, classes in enumerate(("red square,white ring", tmp_path / "two.txt")):
        out = tmp_path / f"run{number}"
        code, _, err = dapt(*common, "--classes", classes, "--out", out)
        assert code == 0, err
        assert number or "2 of 4 classes are used; 16 images left out" in err, "the second time it was said already"
        assert list(json.loads((out / "results.json").read_text())["per_class"]) == ["red square", "white ring"]
    code, _, err = dapt("eval", tmp_path / "run0", "--device", "cpu")
    assert code == 0, err
    record = json.loads((tmp_path / "run0" / "eval" / "photos-test.json").read_text())
    assert record["counts"]["classes"] == 2
    code, _, err = dapt(*common, "--classes", "red squares", "--out", tmp_path / "none")
    assert code == 2
    assert "no class 'red squares'" in err
    assert "red square" in err
