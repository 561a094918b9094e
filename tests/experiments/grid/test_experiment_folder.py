"""The folder of an experiment: its record is read back, and what was made otherwise is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.experiments.grid.expand import expand
from dapt.experiments.grid.experiment import make_experiment
from dapt.experiments.grid.experiment_folder import ExperimentFolder


def cells(out: Path, *seeds: int):
    return expand(make_experiment({"data": "/d", "seeds": list(seeds)}, "x", str(out))).cells


def folder_of(out: Path, *seeds: int) -> ExperimentFolder:
    folder = ExperimentFolder(out, "x")
    folder.look(cells(out, *seeds))
    return folder


def test_records_are_kept_also_of_cells_not_named_any_more(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder = folder_of(out, 1, 2)
    assert not out.exists()
    with folder.lock:
        folder.begin()
        folder.records["d-maple-16shot-seed2"].status = "done"
        folder.write(now=True)
    later = folder_of(out, 1, 3)
    assert list(later.records) == ["d-maple-16shot-seed1", "d-maple-16shot-seed3"]
    assert later.earlier["d-maple-16shot-seed2"].status == "done"
    with later.lock:
        later.begin()
    tree = json.loads((out / "experiment.json").read_text())
    assert sorted(tree["cells"]) == [f"d-maple-16shot-seed{seed}" for seed in (1, 2, 3)]
    assert tree["schema"] == 2


def test_one_writer(tmp_path: Path) -> None:
    first, second = folder_of(tmp_path / "out", 1), folder_of(tmp_path / "out", 1)
    with first.lock:
        first.begin()
        with pytest.raises(ConfigError, match="is in use by process"):
            second.begin()


def test_a_cell_that_was_removed_is_not_done(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "out", 1)
    (cell,) = cells(tmp_path / "out", 1)
    record = folder.records[cell.name]
    record.status, record.key = "done", "k"
    assert not folder.is_done(cell, "k")
    assert folder.holds_another(cell, "other")
    assert not folder.holds_another(cell, "k")


def test_folders_of_other_kinds(tmp_path: Path) -> None:
    from dapt.owned import Manifest, write_manifest

    write_manifest(tmp_path, Manifest("masks"))
    with pytest.raises(ConfigError, match="holds masks, not an experiment"):
        folder_of(tmp_path, 1)
