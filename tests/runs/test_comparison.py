"""What two runs differ in, from their files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dapt.errors import ConfigError, DaptError
from dapt.runs.comparison import Pair, compare_runs


def test_settings_figures_and_inputs(trained: Path, other_trained: Path) -> None:
    found = compare_runs(str(trained), str(other_trained))
    assert [(pair.name, pair.first, pair.second) for pair in found.settings] == [("epochs", 1, 2)]
    assert [pair.name for pair in found.free] == ["seed"]
    assert "test/accuracy" in [pair.name for pair in found.figures]
    assert {pair.name for pair in found.ends} >= {"epoch", "loss", "L_cls"}
    assert next(pair for pair in found.ends if pair.name == "epoch").difference == 1.0
    assert found.apart == ""
    gaps = [abs(pair.difference or 0) for pair in found.classes]
    assert gaps == sorted(gaps, reverse=True)
    assert len(gaps) == 4
    assert any("image" in text for text in found.inputs), "seeds choose other training images"


def test_inputs_that_differ_are_counted(trained: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(trained, tmp_path / "other"))
    tree = json.loads((other / "inputs.json").read_text())
    name = sorted(tree["images"])[0]
    tree["images"][name] = "changed"
    tree["weights"] = "else"
    (other / "inputs.json").write_text(json.dumps(tree))
    said = compare_runs(str(trained), str(other)).inputs
    assert f"1 image with other content ({name})." in said
    assert "The weights of the backbones differ." in said
    (other / "inputs.json").unlink()
    assert "does not hold what its inputs were" in compare_runs(str(trained), str(other)).inputs[0]


def test_what_cannot_be_compared(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Both are the run"):
        compare_runs(str(trained), str(trained.parent / "." / "run"))
    with pytest.raises(DaptError):
        compare_runs(str(trained), str(tmp_path))
    with pytest.raises(DaptError):
        compare_runs(str(trained), str(tmp_path / "nowhere"))


def test_differences_are_of_numbers_only() -> None:
    assert Pair("a", 1, 2.5).difference == 1.5
    assert Pair("a", True, 2).difference is None
    assert Pair("a", None, 2).difference is None
