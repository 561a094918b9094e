"""A whole protocol: one small one, its file of figures, and how it is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from dapt.config import make_config
from dapt.demo.scene_data import write_scenes
from dapt.errors import ConfigError, DataError
from dapt.experiments.protocols.base import get_protocol
from dapt.experiments.run_protocol import default_folder, print_protocol, published_recipe, run_protocol
from dapt.results import ProtocolResults, Row, RunResults, read_record
from helpers import make_csv, make_folder

ABOUT = {"protocol": "few_shot", "source": "paper", "method": "coop", "dapt": True, "backbone": "b", "data": "d"}


def settings(table: Path, spec: str, out: Path, **changes: object) -> dict[str, object]:
    given = {"data": str(table), "model": spec, "method": "maple", "depth": 2, "epochs": 1, "device": "cpu"}
    return {**given, "shots": 1, "out": str(out), **changes}


def test_figures_of_the_runs_and_their_mean_over_targets(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    targets = [str(make_csv(tmp_path / name, classes=classes)) for name, classes in (("two", 2), ("three", 3))]
    out = tmp_path / "out"
    found = run_protocol("cross_dataset", settings(table, tiny_spec, out), over=targets)
    assert [row.point for row in found.rows] == ["table", "two", "three"]
    assert [row.run for row in found.rows] == ["source"] * 3
    assert found.rows[0].metrics == read_record(RunResults, out / "source" / "results.json").metrics
    accuracy = [row.metrics["test/accuracy"] for row in found.rows[1:]]
    assert found.average["test/accuracy"] == pytest.approx(sum(accuracy) / 2)
    assert found.averaged == ["two", "three"]
    assert [row.asked.get("place") for row in found.rows] == [None, str(tmp_path / "two"), str(tmp_path / "three")]
    assert [row.asked.get("classes") for row in found.rows] == [None, 2, 3]
    assert read_record(ProtocolResults, out / "protocol.json") == found
    assert json.loads((out / "source" / "eval" / "two-test.json").read_text())["metrics"] == found.rows[1].metrics


def test_everything_is_looked_at_before_anything_is_trained(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    untested = make_csv(tmp_path / "untested", per_class=2)
    with pytest.raises(DataError, match="2 of 2 data sets to evaluate on cannot be used") as caught:
        run_protocol("cross_dataset", settings(table, tiny_spec, out), over=["/nowhere", str(untested)])
    assert [line.partition(":")[0] for line in caught.value.more] == ["/nowhere", str(untested)]
    with pytest.raises(DataError, match="no labelled test images"):
        run_protocol("few_shot", settings(untested, tiny_spec, out), over=["1"])
    photos = make_folder(tmp_path / "photos")
    with pytest.raises(ConfigError, match="lies within the data"):
        run_protocol("few_shot", settings(photos, tiny_spec, photos / "out"), over=["1"])
    assert not out.exists()


def test_where_it_goes_by_default() -> None:
    config = make_config({"data": "/d/birds.csv", "method": "coop", "dapt": True, "shots": 4, "seed": 3})
    assert default_folder(config, get_protocol("few_shot")) == Path("runs/birds-few_shot-coop+dapt-4shot-seed3")


def test_settings_that_were_published_for_a_protocol_are_pointed_out() -> None:
    def better(method: str, protocol: str) -> str | None:
        return published_recipe(make_config({"data": "d", "method": method}), get_protocol(protocol))

    assert better("maple", "cross_dataset") == better("maple", "domain_generalisation") == "maple.cross"
    assert better("promptsrc", "few_shot") == "promptsrc.few_shot"
    assert better("maple.cross", "cross_dataset") is None
    assert better("maple", "base_to_novel") is None


def test_a_row_per_point_with_the_main_figures(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        Row(point="1 shots", run="1shot", metrics={"test/accuracy": 50.0, "test/odd": 1.0, "test/worst_group": None}),
        Row(point="2 [b]", run="2shot", metrics={"test/accuracy": 75.126}),
    ]
    print_protocol(ProtocolResults(**ABOUT, seed=7, rows=rows, average={"test/accuracy": 62.5}, averaged=["1", "2"]))
    shown = capsys.readouterr().out
    assert "few_shot: coop + DAPT, seed 7" in " ".join(shown.split())
    for text in ("50.00", "75.13", "62.50", "average of 2", "2 [b]", "accuracy"):
        assert text in shown
    assert "odd" not in shown
    assert "worst" not in shown, "nobody has such a figure"


def test_all_figures_of_a_single_row(capsys: pytest.CaptureFixture[str]) -> None:
    row = Row(point="birds", run="base", metrics={"base/accuracy": 80.0, "novel/accuracy": 60.0, "x": None})
    print_protocol(ProtocolResults(**ABOUT, seed=1, rows=[row]))
    shown = capsys.readouterr().out
    assert "base/accuracy" in shown
    assert "60.00" in shown
    assert "average" not in shown


def test_a_run_and_its_audit(tmp_path: Path, tiny_spec: str) -> None:
    write_scenes(tmp_path / "scenes", classes=3, train_per_class=1, test_per_class=2, size=48, jobs=1)
    given = settings(tmp_path / "scenes", tiny_spec, tmp_path / "out")
    found = run_protocol("background_audit", given)
    run, audit = found.rows
    assert (run.point, audit.point, audit.run) == ("all", "audit", "all")
    assert audit.metrics["audit/original"] == run.metrics["test/accuracy"]
    assert {"audit/only_fg", "audit/mixed_rand", "audit/bg_gap", "audit/changed"} <= set(audit.metrics)
    again = run_protocol("background_audit", given, resume=True)
    assert again.rows == found.rows
    land = tmp_path / "land"
    land.mkdir()
    Image.new("RGB", (50, 40), (10, 200, 10)).save(land / "1.png")
    other = run_protocol("background_audit", given, over=[str(land)], resume=True).rows[1].metrics
    assert {key: value for key, value in other.items() if key != "audit/mixed_other"} == audit.metrics
    with pytest.raises(DataError, match="There is no data"):
        run_protocol("background_audit", given, over=[str(tmp_path / "gone")], resume=True)
