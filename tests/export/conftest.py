"""A run and one ONNX file, which the tests of this room share: making the file takes seconds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from helpers import make_csv, run_with

WITH_DEPTH = ("ivlp", "language_deep", "maple", "promptsrc", "vpt")


@dataclass(frozen=True)
class Made:
    """A run of one method, and the photographs it has learned from."""

    run: Path
    photos: Path


def train(place: Path, spec: str, method: str) -> Made:
    from dapt.config import make_config
    from dapt.runs.train import run_training

    table = make_csv(place / "table")
    given = {**run_with(table, spec, place / "run", epochs=1), "method": method}
    run_training(make_config(given if method in WITH_DEPTH else {k: v for k, v in given.items() if k != "depth"}))
    return Made(place / "run", table.parent / "images")


@pytest.fixture(scope="session")
def maple(tmp_path_factory: pytest.TempPathFactory, tiny_spec: str) -> Made:
    return train(tmp_path_factory.mktemp("maple"), tiny_spec, "maple")


@pytest.fixture(scope="session")
def lora(tmp_path_factory: pytest.TempPathFactory, tiny_spec: str) -> Made:
    """Of a method that an ordinary CLIP can do."""
    return train(tmp_path_factory.mktemp("lora"), tiny_spec, "clip_lora")


@pytest.fixture(scope="session")
def model(maple: Made):
    from dapt.runs.load_run import load_run

    return load_run(maple.run, device="cpu")[0].still()


@pytest.fixture(scope="session")
def traced(model):
    """From pictures of any size to probabilities, as `torch.export` takes it."""
    from dapt.export.choices import IN_GRAPH
    from dapt.export.graph import make_graph, trace

    return trace(make_graph(model, None, IN_GRAPH, 1.0), model.clip.image.image_size)


@pytest.fixture(scope="session")
def onnx_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as ONNX; made by one of the processes that test, for all of them."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    from dapt.export.onnx_file import write_onnx

    base = tmp_path_factory.getbasetemp()
    path = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared-onnx" / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    with FileLock(path.parent.with_suffix(".lock")):
        if not path.is_file():
            write_onnx(request.getfixturevalue("traced"), path.with_suffix(".part"), "image")
            path.with_suffix(".part").rename(path)
    return path
