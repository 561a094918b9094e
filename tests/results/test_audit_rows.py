"""Audits among the rows of runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import dapt.results
from dapt.results.audit_rows import is_audit, rows_of_audit
from dapt.results.result_rows import UnreadError

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")


def record(run: str | None, **changes: Any) -> dict[str, Any]:
    figure = {"value": 40.0, "low": 30.0, "high": 50.0, "images": 9}
    model = {"name": "x", "run": run, "method": "maple", "dapt": True, "backbone": "demo", "bg_gap": figure}
    model |= {"accuracy": {"original": figure, "mixed_same": {**figure, "value": None}}, "changed": figure}
    about = {"schema": 1, "audit": "background", "data": "scenes", "split": "test", "images": 9, "seed": 3}
    return {**about, "masks": {"source": "masks"}, "models": [model], **changes}


def write_run(folder: Path) -> None:
    folder.mkdir(parents=True)
    tree = {"schema": 2, "method": "maple", "dapt": True, "backbone": "demo", "data": "photos", "shots": 4, "seed": 2}
    (folder / "results.json").write_text(json.dumps({**tree, "cue": "border", "metrics": {"test/accuracy": 50.0}}))
    (folder / "run.yaml").write_text("lr: 0.1\n")
    (folder / "split.json").write_text("{}")


@pytest.mark.parametrize("beside", [True, False])
def test_an_audit_knows_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    runs = tmp_path / ("all" if beside else "elsewhere")
    write_run(runs / "run")
    (tmp_path / "all").mkdir(exist_ok=True)
    (tmp_path / "all" / "any name.json").write_text(json.dumps(record(str(runs / "run")), indent=2))
    (tmp_path / "all" / "other.json").write_text("[1]")
    for _ in range(2):  # the second time runs are those that were kept
        table = dapt.results.load(tmp_path / "all")
        audit = table[table["kind"] == "audit"].iloc[0]
        assert list(table["kind"]) == (["run", "audit"] if beside else ["audit"])
        assert (audit["cue"], audit["seed"], audit["set/lr"], audit["data"]) == ("border", 2, 0.1, "scenes")
        assert (audit["audit/original"], audit["audit/bg_gap"], audit["audit/seed"]) == (40.0, 40.0, 3)
        assert audit["audit/file"] == f"{tmp_path}/all/any name.json"
        assert table.attrs["unread"] == {}


def test_what_was_not_trained_has_the_seed_of_its_mixtures() -> None:
    (row,) = rows_of_audit(json.dumps(record(None)).encode(), "file", {})
    assert (row["run"], row["seed"], row["set/model"], row["audit/mixed_same"]) == ("file", 3, "demo", None)


def test_damaged_and_newer_ones_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "audit.json").write_text('{"schema": 1, "aud')
    with pytest.raises(UnreadError, match="newer"):
        rows_of_audit(json.dumps(record(None, schema=2)).encode(), "file", {})
    table = dapt.results.load(tmp_path / "runs")
    assert table.attrs["unread"] == {f"{tmp_path}/runs/audit.json": "it is damaged"}


def test_how_an_audit_is_known() -> None:
    assert is_audit(json.dumps(record(None), indent=2).encode())
    assert not is_audit(b'{"schema": 2, "method": "maple"}')
