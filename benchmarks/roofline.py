"""The machine's limit: how fast it multiplies matrices."""

from __future__ import annotations

import torch

from benchmarks.measure import seconds
from dapt.clip.linear import multiply

# a large square, and the shapes of the MLPs of both towers of ViT-B/16 at batch 4
SHAPES = ((2048, 2048, 2048), (788, 768, 3072), (788, 3072, 768), (512, 512, 2048))
# for GPUs, which small products do not fill: a larger square, and those of the image tower's MLPs at batch 32
LARGE_SHAPES = ((8192, 8192, 8192), (6304, 768, 3072), (6304, 3072, 768))
ENOUGH = {"cpu": 20}  # GFLOP of one reading of one shape
ENOUGH_ELSEWHERE = 4000


class Gemm:
    """GFLOP/s of the fastest matrix product, over several shapes and over both libraries torch brings for CPUs.

    It is read again and again beside the steps, so that both meet the same machine.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self.device = device
        self.shapes = SHAPES if device.type == "cpu" else LARGE_SHAPES
        self._pairs = [
            (torch.randn(m, k, device=device, dtype=dtype), torch.randn(n, k, device=device, dtype=dtype))
            for m, n, k in self.shapes
        ]

    def read(self) -> float:
        """One reading: the fastest shape and library, in GFLOP/s."""
        best = 0.0
        enough = ENOUGH.get(self.device.type, ENOUGH_ELSEWHERE)
        for (m, n, k), (x, weight) in zip(self.shapes, self._pairs, strict=True):
            work = 2e-9 * m * n * k
            count = max(1, round(enough / work))
            for onednn in (False, True) if self.device.type == "cpu" else (False,):

                def product(x: torch.Tensor = x, w: torch.Tensor = weight, n: int = count, one: bool = onednn) -> None:
                    for _ in range(n):
                        multiply(x, w, None, onednn=one)

                best = max(best, count * work / seconds(product, self.device))
        return best
