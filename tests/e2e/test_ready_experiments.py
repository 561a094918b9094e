"""The ready experiments: all cells can be run, and one of each is, on drawn scenes with the bundled model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapt.cli.app import run as run_cli
from dapt.config import RunConfig, make_config
from dapt.config_text import read_yaml
from dapt.dapt_names import run_title
from dapt.dapt_options import DEFAULT_VARIANT
from dapt.experiments.grid.expand import expand
from dapt.experiments.grid.experiment import make_experiment
from dapt.objectives.build import check_dapt

READY = sorted((Path(__file__).parents[2] / "experiments").glob("*.yaml"))
ONE = {"ablations": "vary=[{dapt.variant: joint}]", "data-efficient": "select=[craig]"}


def test_all_of_the_paper_are_there() -> None:
    names = {path.stem for path in READY}
    assert names == {
        *("base-to-novel", "few-shot", "data-efficient", "cross-dataset", "domain-generalisation"),
        *("ablations", "background-audit", "evidence"),
    }


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_says_what_it_needs(path: Path) -> None:
    about = make_experiment(read_yaml(path), path.stem).about
    for word in ("GPU hours", "GB", "arXiv"):
        assert word in about


def runs_of(path: Path, **changes: Any) -> list[RunConfig]:
    cells = expand(make_experiment({**read_yaml(path), **changes}, path.stem)).cells
    return [make_config(cell.settings) for cell in cells]


def test_ablations_take_the_default_and_the_released_settings_apart() -> None:
    (path,) = (each for each in READY if each.stem == "ablations")
    runs = [run for run in runs_of(path) if run.seed == 1 and run.data == "dtd"]
    titles = [f"{run_title(run)} {run.cue.source if run.dapt.enabled else ''}" for run in runs]
    assert len(set(titles)) == len(titles), "nothing is run twice"
    for variant in (DEFAULT_VARIANT, "released"):
        names = {title for title in titles if f"DAPT ({variant}" in title}
        for changed in ("visual_weight=0", "foreground_weight=0", "background_weight=0", "fill=blur"):
            assert f"maple + DAPT ({variant}, {changed}) masks" in names
    assert "maple + DAPT (swap, fill=mean) masks" in titles
    assert "maple + DAPT (released, fill=exchange) masks" in titles


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_the_default_can_stand_in_the_place_of_the_released_settings(path: Path) -> None:
    for run in runs_of(path, dapt=[False, DEFAULT_VARIANT]):
        check_dapt(run)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_small(path: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    command = ["run", str(path), "--smoke", "--out", str(out)]
    assert run_cli([*command, "--dry-run"]) == 0, "every cell can be run"
    planned = capsys.readouterr().out
    assert "cannot be run" not in planned
    less = ["--set", "methods=[maple]", *(["--set", ONE[path.stem]] if path.stem in ONE else [])]
    less += ["--set", "cues=[masks]", "--set", "exclude=[]"]
    assert run_cli([*command, *less, "-q"]) == 0
    cells = json.loads((out / "experiment.json").read_text())["cells"]
    assert len(cells) >= 2
    assert {cell["status"] for cell in cells.values()} == {"done"}
    capsys.readouterr()
    figure = ["--figure", "audit/only_fg"] if path.stem in ("background-audit", "evidence") else []
    assert run_cli(["report", str(out), "--format", "markdown", *figure]) == 0
    assert "MaPLe + DAPT" in capsys.readouterr().out
