"""The typed results records: written and read back, old ones too, damaged ones refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapt.errors import DaptError, DataError
from dapt.results import SCHEMA, EvaluationResults, ProtocolResults, Row, RunResults, read_record

RUN: dict[str, Any] = {
    "method": "maple",
    "dapt": True,
    "backbone": "ViT-B-16/openai",
    "data": "pets",
    "shots": 4,
    "seed": 1,
    "metrics": {"accuracy": 91.5, "worst_group": None},
}


def test_written_and_read_back(tmp_path: Path) -> None:
    results = RunResults(**RUN, coreset={"selector": "craig"}, selected_epoch=3)
    (tmp_path / "results.json").write_text(json.dumps(results.tree()))
    again = read_record(RunResults, tmp_path / "results.json")
    assert again == results
    assert again.tree()["schema"] == SCHEMA == 2
    assert "version" not in again.tree()


def test_fields_by_their_names_in_files() -> None:
    results = RunResults(**RUN, extra_figure=7)
    assert results["schema"] == results.version == 2
    assert results["metrics"]["accuracy"] == 91.5
    assert results["extra_figure"] == 7  # of a later version of dapt, kept
    assert results["cue"] is None
    for name in ("nothing", "tree", "model_config"):
        with pytest.raises(KeyError, match=name):
            results[name]


def test_schema_1_called_the_coreset_selection(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    old = {**RUN, "schema": 1, "selection": {"selector": "herding"}, "model_selection": "best"}
    path.write_text(json.dumps(old))
    results = read_record(RunResults, path)
    assert results.coreset == {"selector": "herding"}
    assert results.model_selection == "best"
    assert results["schema"] == 2
    assert "selection" not in results.tree()
    path.write_text(json.dumps({**RUN, "schema": 1}))
    assert read_record(RunResults, path).coreset is None


def test_rows_of_a_protocol() -> None:
    row = Row(point="seed 1", run="runs/1", metrics={"accuracy": 50.0}, harmonic=48.0)
    protocol = ProtocolResults(**{**RUN, "protocol": "few_shot", "source": "paper", "rows": [row]})
    assert protocol["rows"][0]["point"] == "seed 1"
    assert protocol.rows[0]["harmonic"] == 48.0
    assert protocol.average is None
    assert protocol.failed == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 3}, "was written by a newer version of dapt"),
        ({"metrics": {"accuracy": "high"}}, "is not what dapt writes: metrics.accuracy"),
        ({"method": None}, "is not what dapt writes: method"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({**RUN, "schema": 2, **change}))
    with pytest.raises(DataError, match=message) as caught:
        read_record(RunResults, path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", ["[]", "3", "null", '{"schema": 2}', "{", '{"schema": NaN}', ""])
def test_files_that_are_something_else(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DaptError, match=r"x\.json"):
        read_record(EvaluationResults, tmp_path / "x.json")


def test_a_record_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DaptError, match="Could not read"):
        read_record(RunResults, tmp_path / "no.json")
