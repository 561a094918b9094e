"""One ONNX file: writing it, and asking it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dapt.export.graph import OUTPUTS

OPSET = 18  # the first whose Resize is antialiased
FILE = "model.onnx"
LARGEST = 2 * 10**9  # bytes in one protobuf file; larger models have their weights in a second one


def write_onnx(program: torch.export.ExportedProgram, path: Path, input_name: str) -> None:
    """Write the program as ONNX; weights of more than two gigabytes go into a second file beside it."""
    with _quietly():
        made = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=OPSET,
            input_names=[input_name],
            output_names=list(OUTPUTS),
            verbose=False,
        )
    assert made is not None
    size = sum(value.numel() * value.element_size() for value in program.state_dict.values())
    made.save(str(path), external_data=size > LARGEST)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the exporter's notes on its own optimiser off the screen."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir", "torch.onnx")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


class OnnxFile:
    """An ONNX file, ready to be asked: probabilities ``[B, C]`` of an input as it wants it.

    Args:
        path: the file. threads: of the CPU.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        (given,) = self._session.get_inputs()
        self._input = given.name

    def __call__(self, given: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Probabilities ``[B, C]``."""
        (found,) = self._session.run([OUTPUTS[0]], {self._input: given})
        return np.asarray(found)
