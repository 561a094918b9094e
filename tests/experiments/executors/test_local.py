"""Runs side by side: the same figures as one after the other, and the first mistake stops them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import RunConfig, make_config
from dapt.errors import DataError
from dapt.experiments.executors.local import run_all


def configs(table: Path, out: Path, seeds: int = 2) -> dict[str, RunConfig]:
    common = {"data": str(table), "model": "demo", "depth": 2, "epochs": 1, "shots": 2, "device": "cpu"}
    return {
        f"seed{seed}": make_config({**common, "seed": seed, "out": str(out / f"seed{seed}")})
        for seed in range(1, seeds + 1)
    }


@pytest.mark.slow
@pytest.mark.long
def test_side_by_side_equals_one_after_the_other(table: Path, tmp_path: Path, capfd) -> None:
    both = run_all(configs(table, tmp_path / "both"), jobs=2, label="training")
    single = run_all(configs(table, tmp_path / "single"), jobs=1, label="training")
    assert set(both) == {"seed1", "seed2"}
    for name in both:
        for metric, value in single[name]["metrics"].items():
            assert both[name]["metrics"][metric] == (None if value is None else pytest.approx(value, abs=0.01))
    assert "seed2: test/accuracy" in capfd.readouterr().err
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "both").rglob("results.json")}
    run_all(configs(table, tmp_path / "both"), jobs=1, label="training")
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "both").rglob("results.json")}


@pytest.mark.slow
def test_a_mistake_in_one_stops_all(table: Path, tmp_path: Path) -> None:
    wrong = configs(table, tmp_path)
    wrong["seed2"] = wrong["seed2"].model_copy(update={"data": str(tmp_path / "nowhere.csv")})
    with pytest.raises(DataError, match="nowhere"):
        run_all(wrong, jobs=2, label="training")
