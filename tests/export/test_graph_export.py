"""The model file of a graph: what becomes of precisions and preprocessing, and how it is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dapt.data.load.preprocess import bytes_of
from dapt.export import graph_export
from dapt.export.choices import Choices
from dapt.export.graph_export import as_input, file_of, open_graph, write_graph


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, onnx_file: Path) -> None:
    """The ONNX file of the room in the place of a new one."""
    monkeypatch.setattr(graph_export, "trace", lambda graph, size: None)
    monkeypatch.setattr(graph_export, "write_onnx", lambda program, path, name: shutil.copyfile(onnx_file, path))


@pytest.mark.parametrize("precision", ["32", "16", "int8"])
def test_precisions(quick: None, maple, model, tmp_path: Path, precision: str) -> None:
    calibrate = maple.photos if precision == "int8" else None
    choices = Choices("onnx", "in-graph", precision, calibrate)
    photos = sorted(maple.photos.iterdir())
    write_graph(tmp_path, model, None, choices, photos[:4])
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"], "nothing is left beside it"
    asked = open_graph(tmp_path, model, choices)
    for path in photos[:3]:
        picture = bytes_of(path).permute(1, 2, 0).numpy()
        expected = model(model.preprocess(picture)[None]).softmax(1)[0].detach().numpy()
        assert np.abs(asked(picture) - expected).max() <= choices.allowed


def test_inputs(model) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 40, 3), dtype=np.uint8)
    whole = as_input(picture, model, Choices("onnx", "in-graph"))
    assert (whole.dtype, whole.shape) == (np.uint8, (1, 48, 40, 3))
    pixels = as_input(picture, model, Choices("torch-export"))
    assert (pixels.dtype, pixels.shape) == (np.float32, (1, 3, 32, 32))


def test_names() -> None:
    assert (file_of("onnx"), file_of("torch-export")) == ("model.onnx", "model.pt2")
