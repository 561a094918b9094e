"""The tool behind the table of free cues."""

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
    return importlib.import_module("cue_quality")


def test_cues_are_written_with_their_options(tool: ModuleType) -> None:
    assert tool.options_of("border") == ("border", {})
    assert tool.options_of("gradcam,score=softmax,threshold=0.4,layers=2") == (
        "gradcam",
        {"score": "softmax", "threshold": 0.4, "layers": 2},
    )


def test_a_table_is_measured(
    tool: ModuleType, table: Path, tiny_spec: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    cues = ["middle", "border", "patches,refine=none"]
    arguments = [
        "--data",
        str(table),
        "--models",
        tiny_spec,
        "--limit",
        "3",
        "--cues",
        *cues,
        "--out",
        str(tmp_path / "o"),
    ]
    monkeypatch.setattr("sys.argv", ["cue_quality", *arguments])
    monkeypatch.setattr(tool, "set_quiet", lambda quiet: None)  # of the whole process
    monkeypatch.setattr(tool.torch, "set_num_threads", lambda count: None)
    tool.main()
    rows = json.loads((tmp_path / "o" / "cue_quality.json").read_text())
    assert [row["cue"] for row in rows] == cues
    assert [row["images"] for row in rows] == [3, 3, 3]
    assert rows[1]["iou"] > rows[0]["iou"]
    assert [row["score_with_iou"] is None for row in rows] == [True, False, False]
    assert (tmp_path / "o" / "cue_quality.md").read_text().count("\n") == 5
