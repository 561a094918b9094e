"""An ONNX file whose matrices are int8, by onnxruntime's static quantisation."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dapt.clip.load import errors_only
from dapt.export.halved import LAST


class _Calibration:
    """Inputs, one after the other, as onnxruntime asks for them."""

    def __init__(self, inputs: Iterator[np.ndarray[Any, Any]], name: str) -> None:
        self._inputs = inputs
        self._name = name

    def get_next(self) -> dict[str, np.ndarray[Any, Any]] | None:
        """The next input by its name; None after the last."""
        found = next(self._inputs, None)
        return None if found is None else {self._name: found}


def quantise(source: Path, target: Path, inputs: Iterator[np.ndarray[Any, Any]], name: str) -> None:
    """Write an ONNX file with the matrices of another in int8.

    What is quantised are products with fixed matrices within the image tower; attention, norms, the product with the
    class features and the softmax stay in float32.

    Args:
        source, target: the files. inputs: by which the ranges of activations are found. name: of the input.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with errors_only(), tempfile.TemporaryDirectory() as place:
        prepared = Path(place) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(target),
            _Calibration(inputs, name),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=matrices(prepared),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            reduce_range=True,  # 7 bits of weights: processors without VNNI would saturate
        )


def matrices(path: Path) -> list[str]:
    """The names of the products with fixed matrices, but for the last, which is that with the class features."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    fixed = {each.name for each in graph.initializer}
    kinds = ("Conv", *LAST)
    found = [node.name for node in graph.node if node.op_type in kinds and fixed.intersection(node.input)]
    return found[:-1]
