"""An ONNX file whose image tower is in float16.

It is onnxruntime's own conversion of the float32 graph. A graph that PyTorch makes of a model in float16 ends
onnxruntime 1.32 with a segmentation fault at its usual level of optimisation, and so does a conversion that leaves the
product with the class features in float32. Therefore a converted file is opened by another process before it is let
out.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dapt.errors import NotSupportedError

FIRST, LAST = "Conv", ("MatMul", "Gemm")  # where the image tower begins, and the product with the class features
OPEN = "import sys, onnxruntime; onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])"


def halve(source: Path, target: Path) -> None:
    """Write an ONNX file with the image tower of another in float16; inputs and outputs stay as they are.

    What makes pixels of a picture stays in float32, and so do the scale of the logits and the softmax.

    Raises:
        NotSupportedError: onnxruntime cannot open what its conversion makes.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = onnx.load(str(source))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on numbers next to zero, which become the least there is
        half = convert_float_to_float16(model, keep_io_types=True, node_block_list=_outside(model.graph.node))
    onnx.save(half, str(target))
    tried = subprocess.run([sys.executable, "-c", OPEN, str(target)], capture_output=True, check=False)
    if tried.returncode:
        raise NotSupportedError(
            "onnxruntime cannot open this model in float16 as its conversion has made it.",
            where="--precision 16",
            todo="Leave --precision out, or use --precision int8.",
        )


def _outside(nodes: Sequence[Any]) -> list[str]:
    """The nodes before the image tower, and those after the product with the class features."""
    kinds, names = [node.op_type for node in nodes], [node.name for node in nodes]
    first = kinds.index(FIRST) if FIRST in kinds else 0
    last = max(at for at, kind in enumerate(kinds) if kind in LAST)
    return [*names[:first], *names[last + 1 :]]
