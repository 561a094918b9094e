"""Names of runs, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.runs.run_names import default_folder, run_name


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "maple-16shot"),
        ({"method": "coop", "shots": 4, "dapt": True}, "coop+dapt-4shot"),
        ({"shots": 0}, "maple-all"),
        ({"subset": "base"}, "maple-16shot-base"),
        ({"select": "herding", "fraction": 0.1, "shots": 0}, "maple-all-herding0.1"),
        ({"select": "random", "fraction": 1.0, "subset": "base", "dapt": True}, "maple+dapt-16shot-base-random1"),
    ],
)
def test_what_distinguishes_a_run(settings: dict[str, object], name: str) -> None:
    assert run_name(make_config({"data": "eurosat", **settings})) == name


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("eurosat", "eurosat"),
        ("/pictures/my birds (old)", "my_birds_old_"),
        ("/pictures/birds/", "birds"),
        ("/pictures/birds/index.csv", "birds"),
        ("/pictures/birds.csv", "birds"),
        ("hf:owner/some-set?split=train", "some-set"),
        ("/pictures/" + "x" * 300, "x" * 120),
        ("/pictures/vögel", "v_gel"),
    ],
)
def test_a_run_goes_below_runs_by_the_name_of_its_data(data: str, name: str) -> None:
    assert default_folder(make_config({"data": data, "seed": 3})) == Path("runs") / f"{name}-maple-16shot-seed3"


def test_the_working_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "birds").mkdir()
    monkeypatch.chdir(tmp_path / "birds")
    assert default_folder(make_config({"data": "."})).name.startswith("birds-maple")
