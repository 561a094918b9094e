"""Finished runs that the tests of this room share; they are copied before anything is written into them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers import make_csv, run_with


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_spec: str) -> Path:
    """A run of one epoch on ``table/index.csv`` beside it: MaPLe, two images of each of four classes."""
    from dapt.config import make_config
    from dapt.runs.train import run_training

    place = tmp_path_factory.mktemp("trained")
    given = run_with(make_csv(place / "table"), tiny_spec, place / "run", epochs=1)
    run_training(make_config(given))
    return place / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it to write into; its data stays where it is."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture(scope="session")
def other_trained(trained: Path, tmp_path_factory: pytest.TempPathFactory, tiny_spec: str) -> Path:
    """A run of two epochs with another seed, on the data of `trained`."""
    from dapt.config import make_config
    from dapt.runs.train import run_training

    out = tmp_path_factory.mktemp("other") / "run"
    table = trained.parent / "table" / "index.csv"
    run_training(make_config({**run_with(table, tiny_spec, out, epochs=2), "seed": 2}))
    return out
