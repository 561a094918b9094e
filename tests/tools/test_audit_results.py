"""The tool behind the audits of docs/results.md: its cells, what is left to do, and its table."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from helpers import REPOSITORY


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(REPOSITORY / "tools"))
    return importlib.import_module("audit_results")


def test_cells_and_what_is_left_of_them(tool: ModuleType, tmp_path: Path) -> None:
    work = tool.cells(tmp_path / "shared", tmp_path / "runs", ["masks", "patches"])
    assert len(work) == 3 + 3 * 3 * 3
    assert len({cell.name for cell in work}) == len({tool.audit_file(cell, tmp_path) for cell in work}) == len(work)
    cell = next(cell for cell in work if cell.name == "IVLP+DAPT patches-2")
    train, audit = tool.commands(cell, tmp_path / "shared", tmp_path / "runs")
    assert train[0] == "train"
    assert train[train.index("--cue") + 1] == "patches"
    assert "--resume" not in train
    assert audit[:2] == ["audit", cell.model]
    Path(cell.model).mkdir(parents=True)
    assert "--resume" in tool.commands(cell, tmp_path / "shared", tmp_path / "runs")[0]
    (Path(cell.model) / "results.json").write_text("{}")
    assert [each[0] for each in tool.commands(cell, tmp_path / "shared", tmp_path / "runs")] == ["audit"]


def test_the_table(tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = tool.cells(tmp_path / "shared", tmp_path, ["masks"])
    (tmp_path / "audits").mkdir()
    for cell in work[:2]:
        value = {"value": 10.0 * cell.seed, "low": 0.0, "high": 1.0, "images": 3}
        accuracy = dict.fromkeys(("original", "only_fg", "only_bg_t", "mixed_same", "mixed_rand"), value)
        model = {"accuracy": accuracy, "bg_gap": value, "changed": value}
        tool.audit_file(cell, tmp_path).write_text(json.dumps({"models": [model]}))
    assert tool.main(["--shared", str(tmp_path / "shared"), "--runs", str(tmp_path), "--tables-only"]) == 0
    assert "| zero-shot | 2 | 15.0 ± 5.0 |" in capsys.readouterr().out
    arguments = ["--shared", str(tmp_path / "shared"), "--runs", str(tmp_path), "--commands", "--only", "MaPLe-1"]
    assert tool.main(arguments) == 0
    assert capsys.readouterr().out.count("dapt ") == 2
