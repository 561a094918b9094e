"""int8: matrices of the image tower and nothing else, a quarter of their size, and answers that stay near."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from dapt.export.onnx_file import OnnxFile
from dapt.export.quantised import matrices, quantise


def inputs(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (1, 48, 40, 3), dtype=np.uint8) for _ in range(count)]


def test_int8(onnx_file: Path, tmp_path: Path) -> None:
    small = tmp_path / "int8.onnx"
    quantise(onnx_file, small, iter(inputs(4)), "image")
    assert small.stat().st_size < 0.8 * onnx_file.stat().st_size
    found, expected = (np.concatenate([ask(each) for each in inputs(3)]) for ask in map(OnnxFile, (small, onnx_file)))
    assert 0 < np.abs(found - expected).max() < 0.1


def test_matrices(onnx_file: Path) -> None:
    import onnx

    nodes = {node.name: node for node in onnx.load(str(onnx_file)).graph.node}
    kinds = Counter(nodes[name].op_type for name in matrices(onnx_file))
    assert kinds["Conv"] == 1
    assert sum(kinds.values()) >= 1 + 4 * 3, "patches, and four products in each of three blocks"
    last = [name for name, node in nodes.items() if node.op_type in ("MatMul", "Gemm")][-1]
    assert last not in matrices(onnx_file), "the product with the class features"
