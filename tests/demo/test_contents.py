"""What a demonstration writes, by path."""

from __future__ import annotations

from pathlib import Path

from dapt.demo.contents import demo_files, demo_runs, scene_files
from dapt.demo.scene_data import write_scenes
from dapt.demo.setting import DemoSettings, plan

FEW = DemoSettings(classes=2, train_per_class=1, test_per_class=2, size=32, seeds=2, shots=1)


def test_files_are_those_that_are_drawn(tmp_path: Path) -> None:
    write_scenes(
        tmp_path, scenes=FEW.scenes, seed=FEW.scene_seed, train_per_class=1, test_per_class=2, size=32, classes=2
    )
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    named = scene_files(FEW)
    assert len(named) == len(set(named)) == 1 + 2 * 2 * 3
    assert set(named) == there
    assert demo_files(FEW) == ["index.html", "results.json", *(f"data/{name}" for name in named)]


def test_runs_are_those_of_the_plan(tmp_path: Path) -> None:
    runs = demo_runs(FEW)
    assert runs == [f"runs/{name}" for name in ("zero_shot", "dapt-seed1", "host-seed1", "dapt-seed2", "host-seed2")]
    assert runs == [f"runs/{name}" for name in plan(FEW, tmp_path / "index.csv", tmp_path / "runs")]
