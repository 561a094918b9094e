"""The ONNX file gives our probabilities for pictures of any size, alone and in batches, and knows its own names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from dapt.export.onnx_file import OPSET, OnnxFile


def pictures(count: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def test_probabilities(model, onnx_file: Path) -> None:
    ask = OnnxFile(onnx_file)
    for shape in ((1, 48, 40), (3, 40, 48), (1, 32, 32), (1, 5, 300), (2, 1, 1)):
        given = pictures(*shape)
        with torch.no_grad():
            expected = model(torch.stack([model.preprocess(each) for each in given])).softmax(1).numpy()
        found = ask(given)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 0.02, shape
        assert np.allclose(found.sum(1), 1, atol=1e-5)


def test_names_and_version(onnx_file: Path) -> None:
    import onnx

    made = onnx.load(str(onnx_file))
    onnx.checker.check_model(made)
    assert [each.name for each in made.graph.input] == ["image"]
    assert [each.name for each in made.graph.output] == ["probabilities", "logits"]
    assert [each.version for each in made.opset_import if each.domain == ""] == [OPSET]
    assert not list(onnx_file.parent.glob("*.data")), "one file"
